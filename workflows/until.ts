import type { Look } from '../activities/api.js';
import type { Blocker } from '../domain/refresh.js';

/**
 * Repeats a look until it is done. Each round ends only when something changed (activities/api.ts), so a wait of days is a
 * handful of events; `changed` shows people what is awaited now.
 */
export async function until<T extends Look>(look: (known: string) => Promise<T>, changed: (blockers: Blocker[]) => void): Promise<T> {
  let known = '';
  for (;;) {
    const seen = await look(known);
    changed(seen.done ? [] : seen.blockers);
    if (seen.done) return seen;
    known = seen.seen;
  }
}
