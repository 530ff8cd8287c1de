import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { failedError, unreachableError } from '../exit.js';
import { whoAmI } from '../who.js';
import { ANSWER_MS, ask, expectOpen, noAnswer } from './handle.js';
import type { Run } from './handle.js';
import { update } from './update.js';

/** A verb as it is sent: the name of the Update (and of the Signal, where there is one) and its single argument. */
export interface Message {
  verb: string;
  body: { by: string; reason?: string };
}

/** What a verb does when no worker answers. */
export type Fallback = 'signal' | 'cancel' | 'none';

/** An Update was seen by a worker, which validated it: it has this long to say so. */
const UPDATE_MS = 6 * ANSWER_MS;

/**
 * Says something to a run: as an Update, which is validated and answered; without a worker as a Signal or a cancel request,
 * which land anyway. Asks first whether a worker is there, since an Update that nobody took could still be taken later.
 * @returns what happened, one line
 * @throws ExitError 1 when the run refuses, 3 when nobody answers and the verb cannot wait
 */
export async function say(client: Client, run: Run, { message, fallback }: { message: Message; fallback: Fallback }): Promise<string> {
  expectOpen(run);
  const status = await ask<unknown>(client, run, { query: 'status' });
  if (status === undefined) return sayUnheard(client, run, { message, fallback });
  try {
    const answer = await client.withDeadline(Date.now() + UPDATE_MS, () => update<string>(run.handle, message.verb, message.body));
    return `${message.verb}: accepted${answer ? `, the ${run.kind.noun} is now ${answer}` : ''}`;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw failedError(`${message.verb} refused: ${error.cause?.message ?? error.message}`);
    if (!noAnswer(error)) throw error;
    return sayUnheard(client, run, { message, fallback });
  }
}

/** The body of a verb that only takes a reason. */
export function said(reason: string): { by: string; reason: string } {
  return { by: whoAmI(), reason };
}

async function sayUnheard(client: Client, run: Run, { message, fallback }: { message: Message; fallback: Fallback }): Promise<string> {
  const nobody = `no worker answered within ${ANSWER_MS / 1000} s`;
  switch (fallback) {
    case 'signal':
      await run.handle.signal(message.verb, message.body);
      return `${nobody}: sent as a signal, which takes effect when a worker is back (one that does not fit by then is recorded and ignored)`;
    case 'cancel':
      await client.workflowService.requestCancelWorkflowExecution({
        namespace: client.options.namespace,
        workflowExecution: { workflowId: run.handle.workflowId },
        identity: message.body.by,
        reason: message.body.reason ?? '',
      });
      return `${nobody}: sent as a cancel request (the same as abort), which takes effect when a worker is back`;
    case 'none':
      throw unreachableError(`${nobody}: ${message.verb} needs one. Start it with \`ciliate worker\` and say it again`);
  }
}
