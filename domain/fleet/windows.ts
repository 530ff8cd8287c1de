import { DateTime } from 'luxon';
import { clockMinutes, weekdays } from './days.js';
import type { Window } from './schema.js';

/**
 * Arithmetic of maintenance windows. It depends on the time zone data of the machine that it runs on, so the workflow asks for it
 * by an activity and goes by the recorded answer: two workers with other data can never disagree in a replay.
 */
export interface WindowState {
  open: boolean;
  /** ISO 8601: when that changes, or when to ask again; null: never. */
  until: string | null;
}

/** So far ahead intervals are looked at: more than a week, so that there is always a next one. */
const HORIZON_DAYS = 9;

/** Whether a window is open at an instant, and until when that stays so. Windows that touch or overlap are one. */
export function windowAt(windows: readonly Window[], at: string): WindowState {
  if (windows.length === 0) return { open: true, until: null };
  const now = Date.parse(at);
  const intervals = windows.flatMap((window) => intervalsOf(window, now)).sort((one, other) => one.start - other.start);
  const current = intervals.filter(({ start, end }) => start <= now && now < end);
  if (current.length > 0) return { open: true, until: iso(closing(intervals, Math.max(...current.map(({ end }) => end)))) };
  const next = intervals.find(({ start }) => start > now);
  // None within the horizon (each falls into an hour that does not exist): asked again then.
  return { open: false, until: iso(next?.start ?? now + HORIZON_DAYS * 86_400_000) };
}

interface Interval {
  start: number;
  end: number;
}

/** Intervals that open from yesterday on; what stands in the wall clock's skipped hour has no length and is left out. */
function intervalsOf({ days, from, to, timeZone }: Window, now: number): Interval[] {
  const open = new Set(days.flatMap((day) => weekdays(day) ?? []));
  const start = clockMinutes(from) ?? 0;
  const end = clockMinutes(to) ?? 0;
  const today = DateTime.fromMillis(now, { zone: timeZone }).startOf('day');
  return Array.from({ length: HORIZON_DAYS + 2 }, (_, index) => today.plus({ days: index - 1 }))
    .filter((day) => open.has(day.weekday))
    .map((day) => ({ start: wallClock(day, start), end: wallClock(end > start ? day : day.plus({ days: 1 }), end) }))
    .filter((interval) => interval.start < interval.end);
}

/**
 * The instant at which that day's clocks show so many minutes: of two the first, of none as if they had not been changed yet. (Luxon
 * decides between two by the offset that is in force today, so the same window would move over the year.)
 */
function wallClock(day: DateTime, minutes: number): number {
  const asUtc = Date.UTC(day.year, day.month - 1, day.day, 0, minutes);
  const [before, after] = [asUtc - 86_400_000, asUtc + 86_400_000].map((at) => day.zone.offset(at));
  const shown = [before, after].map((offset) => ({ offset, at: asUtc - (offset ?? 0) * 60_000 })).filter(({ offset, at }) => day.zone.offset(at) === offset);
  return shown.length > 0 ? Math.min(...shown.map(({ at }) => at)) : asUtc - (before ?? 0) * 60_000;
}

function closing(intervals: readonly Interval[], end: number): number {
  return intervals.reduce((last, interval) => (interval.start <= last && last < interval.end ? interval.end : last), end);
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
