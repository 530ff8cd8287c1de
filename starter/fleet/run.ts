import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { FleetInput } from '../../domain/fleet/schema.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { fleetWorkflowId, RUN_FLEET, TASK_QUEUE } from '../../domain/names.js';
import { EXIT, failedError, unreachableError } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { ask, findRun } from '../run/handle.js';
import type { Run, RunKind } from '../run/handle.js';
import { whoAmI } from '../who.js';

/** Fleets, for what is the same for every kind of run. */
export const FLEET: RunKind = { noun: 'fleet', workflowId: fleetWorkflowId, start: '`ciliate fleet start -f FLEET` (the name is metadata.name)', look: 'ciliate fleet status' };

const POLL_MS = 1_000;

/**
 * Starts a fleet: one open run a name; a closed one may be followed by another, which picks up from each cluster's own state.
 * @throws ExitError (1) that names the running one
 */
export async function startFleet(client: Client, input: FleetInput): Promise<string> {
  const { name } = input.metadata;
  const workflowId = fleetWorkflowId(name);
  try {
    await client.workflow.start(RUN_FLEET, {
      taskQueue: TASK_QUEUE,
      workflowId,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      priority: { fairnessKey: `fleet/${name}`.slice(0, 64) },
      staticSummary: `fleet ${name}`.slice(0, 200),
      staticDetails: `Started by ${whoAmI()}. See it with \`ciliate fleet status ${name} --watch\`; Cancel here is \`ciliate fleet abort\`.`,
    });
    return workflowId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw failedError(`the fleet ${name} is running already: workflow ${workflowId}. See \`ciliate fleet status ${name}\``);
  }
}

/** From the run itself, or from what a closed one left. @throws ExitError (3) when nobody can tell */
export async function readFleetStatus(client: Client, run: Run): Promise<FleetStatus> {
  const status = (run.open ? undefined : await closedStatus(run)) ?? (await ask<FleetStatus>(client, run, { query: 'status' }));
  if (status !== undefined) return run.open ? status : afterTheEnd(status, run);
  const { name } = run.description.status;
  throw unreachableError(
    run.open
      ? `no worker answers for the fleet ${run.migration}: start one with \`ciliate worker\`. Its clusters go on as their own workers do: see \`ciliate status CLUSTER\``
      : `the fleet ${run.migration} was ${name.toLowerCase()} and left no status, and no worker answers: start one with \`ciliate worker\``,
  );
}

/** Follows a fleet until it is closed; tells every status that it sees. */
export async function watchFleet(client: Client, fleet: string, show: (status: FleetStatus) => void): Promise<FleetStatus> {
  for (;;) {
    const run = await findRun(client, fleet, FLEET);
    const status = await readFleetStatus(client, run).catch((error: unknown) => {
      // Without a worker for a while: it goes on when one is back.
      if (run.open) return undefined;
      throw error;
    });
    if (status !== undefined) show(status);
    if (!run.open && status !== undefined) return status;
    await sleep(POLL_MS);
  }
}

/** Exit code of a verb that follows a fleet to its end. */
export function exitCodeOfFleet({ state }: FleetStatus): ExitCode {
  return state === 'done' ? EXIT.done : EXIT.failed;
}

async function closedStatus(run: Run): Promise<FleetStatus | undefined> {
  try {
    return (await run.handle.result()) as FleetStatus;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const details: unknown = (error.cause as { details?: unknown } | undefined)?.details;
    return Array.isArray(details) ? (details[0] as FleetStatus | undefined) : undefined;
  }
}

/** A fleet that was ended from outside still answers as it last stood. */
function afterTheEnd(status: FleetStatus, run: Run): FleetStatus {
  if (status.endedAt !== null) return status;
  const how = run.description.status.name.toLowerCase();
  return { ...status, state: 'failed', problem: `the fleet was ${how}: its clusters go on by themselves. \`ciliate fleet start\` takes them in again` };
}
