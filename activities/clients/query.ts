import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';

/** A worker that has the run in its cache answers within this, busy as it may be. */
const AGAIN_MS = 250;

export interface Question<T> {
  query: string;
  /** How long a live worker may take to answer, in milliseconds. */
  withinMs: number;
  /** What a run that is over by then says without a worker; undefined: nothing. */
  atEnd?: () => Promise<T | undefined>;
}

/**
 * The answer of the run that is open by now. Temporal passes a query to the run that was open when it came; where that one ends or
 * continues as new in this very moment, a worker first replays all of it, which takes seconds with thousands of events. What is not
 * answered at once is therefore asked a second time, which reaches the next run, and the first answer counts.
 * @throws what the first of the two failed with, when both did
 */
export async function queryRun<T>(client: Client, handle: WorkflowHandle, { query, withinMs, atEnd }: Question<T>): Promise<T> {
  const over = new AbortController();
  const deadline = Date.now() + withinMs;
  const ask = (): Promise<T> => client.withDeadline(deadline, () => client.withAbortSignal(over.signal, () => handle.query<T>(query)));
  const again = async (): Promise<T> => {
    await sleep(AGAIN_MS, undefined, { signal: over.signal });
    return (await atEnd?.()) ?? ask();
  };
  try {
    return await Promise.any([ask(), again()]);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    over.abort();
  }
}
