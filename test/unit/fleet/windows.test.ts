import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { clockMinutes, weekdays } from '../../../domain/fleet/days.js';
import { windowAt } from '../../../domain/fleet/windows.js';
import type { Window } from '../../../domain/fleet/schema.js';

const NIGHTS: Window = { days: ['mon-fri'], from: '22:00', to: '04:00', timeZone: 'Europe/Berlin' };

describe('days and times', () => {
  it.each([
    ['mon', [1]],
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['fri-mon', [5, 6, 7, 1]],
    ['SUN', [7]],
  ])('%s', (text, days) => expect(weekdays(text)).toEqual(days));
  it.each(['', 'monday', 'mon-', 'mon-tue-wed', '1'])('%j is no day', (text) => expect(weekdays(text)).toBeNull());
  it.each([['00:00', 0], ['23:59', 1439], ['24:00', 1440]])('%s', (text, minutes) => expect(clockMinutes(text)).toBe(minutes));
  it.each(['24:01', '7:00', '22:60', 'noon'])('%j is no time', (text) => expect(clockMinutes(text)).toBeNull());
});

describe('maintenance windows', () => {
  it.each([
    ['before it opens', '2026-11-23T20:59:59Z', { open: false, until: '2026-11-23T21:00:00.000Z' }],
    ['in the evening', '2026-11-23T21:00:00Z', { open: true, until: '2026-11-24T03:00:00.000Z' }],
    ['past midnight', '2026-11-24T02:59:59Z', { open: true, until: '2026-11-24T03:00:00.000Z' }],
    ['as it closes', '2026-11-24T03:00:00Z', { open: false, until: '2026-11-24T21:00:00.000Z' }],
    ['on Saturday morning, which is Friday\'s', '2026-11-28T02:00:00Z', { open: true, until: '2026-11-28T03:00:00.000Z' }],
    ['over the weekend', '2026-11-28T12:00:00Z', { open: false, until: '2026-11-30T21:00:00.000Z' }],
    ['in summer', '2026-07-01T20:30:00Z', { open: true, until: '2026-07-02T02:00:00.000Z' }],
  ])('mon-fri 22:00 to 04:00 in Berlin, %s', (_, at, state) => expect(windowAt([NIGHTS], at)).toEqual(state));

  const nights: Window = { ...NIGHTS, days: ['mon-sun'] };
  it('is an hour shorter when the clocks go forward, an hour longer when they go back', () => {
    expect(windowAt([nights], '2026-03-28T21:30:00Z')).toEqual({ open: true, until: '2026-03-29T02:00:00.000Z' });
    expect(windowAt([nights], '2026-10-24T20:30:00Z')).toEqual({ open: true, until: '2026-10-25T03:00:00.000Z' });
  });
  it('in the hour that does not exist opens for no time at all, or from its end', () => {
    const gap = { ...nights, from: '02:00', to: '03:00' };
    expect(windowAt([gap], '2026-03-29T00:59:00Z')).toEqual({ open: false, until: '2026-03-30T00:00:00.000Z' });
    expect(windowAt([{ ...gap, to: '05:00' }], '2026-03-29T00:59:00Z')).toEqual({ open: false, until: '2026-03-29T01:00:00.000Z' });
  });
  it('in the hour that comes twice opens at the first of them', () => {
    expect(windowAt([{ ...nights, from: '02:30', to: '04:00' }], '2026-10-25T00:00:00Z')).toEqual({ open: false, until: '2026-10-25T00:30:00.000Z' });
  });
  it('that touch are one, over midnight too', () => {
    const days = [{ days: ['sat-sun'], from: '00:00', to: '24:00', timeZone: 'UTC' }];
    expect(windowAt(days, '2026-11-28T05:00:00Z')).toEqual({ open: true, until: '2026-11-30T00:00:00.000Z' });
  });
  it('none: always open', () => expect(windowAt([], '2026-11-28T05:00:00Z')).toEqual({ open: true, until: null }));

  const minute = fc.integer({ min: 0, max: 1439 });
  const clock = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const anyWindow = fc
    .record({ days: fc.uniqueArray(fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'fri-mon'), { minLength: 1, maxLength: 3 }), from: minute, to: minute, timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu') })
    .filter(({ from, to }) => from !== to)
    .map((window) => ({ ...window, from: clock(window.from), to: clock(window.to) }));
  const anyTime = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') }).map((at) => new Date(at).toISOString());

  it('in a zone without summer time: open exactly when a clock on the wall says so', () => {
    fc.assert(
      fc.property(fc.array(anyWindow.map((window) => ({ ...window, timeZone: 'Asia/Kathmandu' })), { minLength: 1, maxLength: 3 }), anyTime, (windows, at) => {
        expect(windowAt(windows, at).open).toBe(windows.some((window) => onTheWall(window, at)));
      }),
    );
  });
  it('what is told holds until it is said to change, and then it does change', () => {
    fc.assert(
      fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), anyTime, fc.double({ min: 0, max: 0.999, noNaN: true }), (windows, at, share) => {
        const { open, until } = windowAt(windows, at);
        const end = Date.parse(until ?? '');
        expect(end).toBeGreaterThan(Date.parse(at));
        const between = Date.parse(at) + Math.floor((end - Date.parse(at)) * share);
        expect(windowAt(windows, new Date(between).toISOString()).open).toBe(open);
        // So far ahead that it is only a time to ask again.
        if (end - Date.parse(at) < 7 * 86_400_000) expect(windowAt(windows, new Date(end).toISOString()).open).toBe(!open);
      }),
    );
  });
});

function onTheWall({ days, from, to, timeZone }: Window, at: string): boolean {
  const now = DateTime.fromISO(at, { zone: timeZone });
  const minutes = now.hour * 60 + now.minute;
  const opens = new Set(days.flatMap((day) => weekdays(day) ?? []));
  const [start, end] = [clockMinutes(from) ?? 0, clockMinutes(to) ?? 0];
  const yesterday = ((now.weekday + 5) % 7) + 1;
  if (start < end) return opens.has(now.weekday) && start <= minutes && minutes < end;
  return (opens.has(now.weekday) && minutes >= start) || (opens.has(yesterday) && minutes < end);
}
