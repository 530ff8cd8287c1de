import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { isOpen } from '../../activities/clients/query.js';
import { grpcError } from '../client.js';

const ROUNDS = 20;
const PAUSE_MS = 250;

/**
 * An Update of whichever run is open. One that arrives in the very moment in which a run continues as new is turned away by the
 * server, unheard: it is sent again, to the next run. It has one id, so that a run never takes it twice.
 */
export async function update<T>(handle: WorkflowHandle, verb: string, body: object): Promise<T> {
  const updateId = randomUUID();
  for (let round = 1; ; round++) {
    try {
      return await handle.executeUpdate<T, [object]>(verb, { args: [body], updateId });
    } catch (error) {
      if (round === ROUNDS || !(await isTurnedAway(handle, error))) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** FailedPrecondition or Aborted, with the server's words for a run that closes or whose task was repeated; or of a run that is over, where another is open. */
async function isTurnedAway(handle: WorkflowHandle, error: unknown): Promise<boolean> {
  if (error instanceof WorkflowNotFoundError) return isOpen(await handle.describe());
  const grpc = grpcError(error);
  return grpc !== undefined && [9, 10].includes(grpc.code) && /workflow task failure|workflow (is )?(closing|complet)|aborted|continued as new/i.test(`${grpc.details} ${grpc.message}`);
}
