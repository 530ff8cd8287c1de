/** `1 h 02 min`, `3 min 05 s`, `7 s`. */
export function since(from: string, to: Date): string {
  const seconds = Math.max(0, Math.round((to.getTime() - Date.parse(from)) / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s` : `${seconds} s`;
}

/** `14:03:07` of an ISO 8601 instant, in UTC as everything that is printed. */
export function clock(instant: string): string {
  return `${instant.slice(11, 19)}Z`;
}
