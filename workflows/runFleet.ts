import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { FleetStatus } from '../domain/fleet/status.js';
import type { RunState } from '../domain/status.js';
import { now } from './clock.js';
import { stepFailure } from './failure.js';
import type { FleetBook } from './fleet/book.js';
import { Fleet, FleetEnd, isContinueAsNew } from './fleet/fleet.js';
import { gather } from './fleet/gather.js';
import { listenFleet } from './fleet/listen.js';

/**
 * Migrates the clusters of a fleet, ring after ring. `input` is the fleet as `ciliate fleet start` resolves it (domain/fleet/schema.ts);
 * `checkpoint` is only ever given by the workflow itself, when it continues as new.
 *
 * Completes with the last status when done, partial or aborted; fails (type `FleetFailed`, the status in its details) when nothing could
 * be done; ends cancelled when it was cancelled, which is an abort.
 */
export async function runFleet(input: unknown, checkpoint?: FleetBook): Promise<FleetStatus> {
  const fleet = new Fleet(checkpoint);
  listenFleet(fleet);
  const root = CancellationScope.current();
  void root.cancelRequested.catch(() => fleet.cancelled());
  const status = await CancellationScope.nonCancellable(() => run(fleet, input));
  if (status.state === 'failed') throw ApplicationFailure.create({ message: status.problem ?? 'failed', type: 'FleetFailed', nonRetryable: true, details: [status] });
  if (root.consideredCancelled && status.state === 'aborted') throw new CancelledFailure('cancelled; the status query tells what was done', [status]);
  return status;
}

async function run(fleet: Fleet, input: unknown): Promise<FleetStatus> {
  const { book } = fleet;
  try {
    await gather(fleet, input);
    await fleet.course();
    const { outcome, problem } = ending(fleet);
    Object.assign(book, { outcome, problem });
  } catch (error) {
    if (isContinueAsNew(error)) throw error;
    const end = error instanceof FleetEnd ? error : new FleetEnd('failed', stepFailure(error).message);
    Object.assign(book, { outcome: end.outcome, problem: end.why });
    for (const member of book.members) if (member.stage === 'waiting') member.stage = 'left';
  }
  book.endedAt = now();
  fleet.show();
  return fleet.status();
}

function ending({ book }: Fleet): { outcome: RunState; problem: string | null } {
  const { abort } = book.control;
  if (abort) return { outcome: 'aborted', problem: `aborted by ${abort.by}: ${abort.reason}` };
  const left = book.members.filter(({ seen }) => seen?.state !== 'done').map(({ name, seen }) => `${name} (${seen?.state ?? 'unknown'})`);
  if (left.length === 0) return { outcome: 'done', problem: null };
  const names = left.slice(0, 20).join(', ');
  return { outcome: left.length < book.members.length ? 'partial' : 'failed', problem: `${left.length} of ${book.members.length} clusters are not done: ${names}${left.length > 20 ? ' and others' : ''}` };
}
