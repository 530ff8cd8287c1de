import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Look } from '../activities/api.js';
import type { Blocker } from '../domain/refresh.js';
import { Interrupted } from './interruptible.js';

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

/** How long an answer is waited for, in milliseconds. */
interface Patience {
  atMost?: number;
  /** What makes it old, though not wrong: from then on it has so long. */
  hurry?: { news: () => boolean; within: number };
}

/**
 * What a wait answers; undefined where it became stale meanwhile and was given up, or took longer than it may.
 */
export async function answerUnless<T>(stale: () => boolean, wait: () => Promise<T>, { atMost, hurry }: Patience = {}): Promise<T | undefined> {
  const scope = new CancellationScope();
  let answer: T | undefined;
  let failure: unknown;
  let done = false;
  const asked = scope
    .run(wait)
    .then((value) => (answer = value), (error: unknown) => (failure = error))
    .finally(() => (done = true));
  const over = () => done || stale() || hurry?.news() === true;
  await (atMost === undefined ? condition(over) : condition(over, atMost));
  // An answer to what was asked a moment ago is still true, and asking again costs more than waiting for it.
  if (!done && !stale() && hurry?.news() === true && hurry.within > 0) await condition(() => done || stale(), hurry.within);
  if (!done) scope.cancel();
  await asked;
  if (failure !== undefined && !(scope.consideredCancelled && (failure instanceof Interrupted || isCancellation(failure)))) throw failure;
  return answer;
}
