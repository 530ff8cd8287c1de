/** Days as luxon counts them: Monday is 1. */
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `mon`, or `mon-fri` (`fri-mon` goes over Sunday); null where it is neither. */
export function weekdays(text: string): number[] | null {
  const [first = '', last = first, ...rest] = text.toLowerCase().split('-');
  const from = DAYS.indexOf(first);
  const to = DAYS.indexOf(last);
  if (from < 0 || to < 0 || rest.length > 0) return null;
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, index) => ((from + index) % 7) + 1);
}

/** Minutes since midnight of `HH:MM`, up to 24:00; null where it is no such time. */
export function clockMinutes(text: string): number | null {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return hours !== undefined && Number(minutes) < 60 && total <= 24 * 60 ? total : null;
}
