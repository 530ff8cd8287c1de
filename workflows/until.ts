import { CancellationScope, condition, patched, sleep } from '@temporalio/workflow';
import type { Look } from '../activities/api.js';
import type { Blocker } from '../domain/refresh.js';
import { endedByCancel } from './failure.js';
import { Interrupted } from './interruptible.js';

/** A wait that has changed so often is asked for again after so many seconds only. */
const PACES: readonly (readonly [changes: number, seconds: number])[] = [[1_000, 600], [200, 60], [20, 5]];

/**
 * Repeats a look until it is done. Each round ends only when something changed (activities/api.ts), so a wait of days is a
 * handful of events; `changed` shows people what is awaited now. What changes all the time (a load balancer that says 502 and 503 by
 * turns) is asked for ever less often: a history has an end.
 *
 * @param options `paced`: false for a look that does something while it waits; it is told how often it changed, and has to pace its news
 */
export async function until<T extends Look>(look: (known: string, changes: number) => Promise<T>, changed: (blockers: Blocker[]) => void, { paced = true } = {}): Promise<T> {
  let known = '';
  /** Waits that were begun before this are not paced. */
  let isPaced: boolean | undefined;
  for (let changes = 1; ; changes++) {
    const seen = await look(known, changes - 1);
    changed(seen.done ? [] : seen.blockers);
    if (seen.done) return seen;
    known = seen.seen;
    const seconds = paceOf(changes);
    if (paced && seconds > 0 && (isPaced ??= patched('paced-looks'))) await sleep(seconds * 1000);
  }
}

/** Seconds until what has changed so often is looked at again. */
export function paceOf(changes: number): number {
  return PACES.find(([least]) => changes >= least)?.[1] ?? 0;
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
  if (failure !== undefined && !(scope.consideredCancelled && (failure instanceof Interrupted || endedByCancel(failure)))) throw failure;
  return answer;
}
