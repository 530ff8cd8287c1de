/** Workflow time: `Date` is replaced by the sandbox with the time of the workflow task, so it is the same in a replay. */
export function now(): string {
  return new Date().toISOString();
}

/** Seconds between two ISO 8601 times, with milliseconds. */
export function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
