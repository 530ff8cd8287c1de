import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** How often it is looked whether another run is open by now. A worker that has the run in its cache has answered before, busy as it may be. */
const LOOK_MS = 250;

export interface Question<T> {
  query: string;
  /** How long a live worker may take to answer, in milliseconds. */
  withinMs: number;
  /** What a run that is over by then says without a worker; undefined: nothing. */
  atEnd?: (ended: WorkflowExecutionDescription) => Promise<T | undefined>;
  /** What is said where there is no answer `afterMs` milliseconds later; undefined: it is waited for. */
  meanwhile?: { afterMs: number; say: () => T | undefined };
}

/** Whether a run can still go on, and be told anything: Temporal itself may have paused it. */
export function isOpen({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

/**
 * The answer of the run that is open by now. Temporal passes a query to the run that was open when it came; where that one ends or
 * continues as new in this very moment, a worker first replays all of it, which takes seconds with thousands of events. So as long as
 * there is no answer, it is looked whether another run is open, which is asked too, and the first answer counts.
 *
 * @param run as it was described a moment ago
 * @throws what the first question failed with, when all did: of a run without a worker a gRPC error (starter/run/handle.ts, noAnswer)
 */
export async function queryRun<T>(client: Client, run: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>, question: Question<T>): Promise<T> {
  const over = new AbortController();
  const { meanwhile } = question;
  const answer = answerOf(client, run, { ...question, over: over.signal });
  try {
    return await (meanwhile === undefined ? answer : Promise.race([answer, soon(meanwhile, over.signal)]));
  } finally {
    over.abort();
    // Nobody hears any more what it failed with.
    answer.catch(() => undefined);
  }
}

async function answerOf<T>(client: Client, run: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>, { query, withinMs, atEnd, over }: Question<T> & { over: AbortSignal }): Promise<T> {
  const deadline = Date.now() + withinMs;
  const handle = (runId?: string) => client.workflow.getHandle(run.workflowId, runId);
  const ask = (runId: string): Promise<T> => client.withDeadline(deadline, () => client.withAbortSignal(over, () => handle(runId).query<T>(query)));
  let newest = run.runId;
  const answers = [ask(newest)];
  try {
    // Each question has an end, and so has this: then all have failed.
    for (;;) {
      const first = Promise.any(answers).then((answer) => ({ answer }));
      const seen = await Promise.race([first, sleep(LOOK_MS, undefined, { signal: over })]);
      if (seen !== undefined) return seen.answer;
      const now = await handle().describe();
      const said = isOpen(now) ? undefined : await atEnd?.(now);
      if (said !== undefined) return said;
      if (now.runId !== newest) answers.push(ask((newest = now.runId)));
    }
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

/** Ends only with something to say. */
async function soon<T>({ afterMs, say }: NonNullable<Question<T>['meanwhile']>, over: AbortSignal): Promise<T> {
  await sleep(afterMs, undefined, { signal: over }).catch(() => undefined);
  const said = say();
  return said === undefined ? new Promise<never>(() => undefined) : said;
}
