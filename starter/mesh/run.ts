import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { isOpen } from '../../activities/clients/query.js';
import type { MeshOrder, MeshStatus } from '../../domain/mesh/run.js';
import { CONNECT_MESH, meshWorkflowId, TASK_QUEUE } from '../../domain/names.js';
import { EXIT, failedError } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { ANSWER_MS, noAnswer } from '../run/handle.js';
import { whoAmI } from '../who.js';

const POLL_MS = 500;

/**
 * Starts connecting or disconnecting. The workflow id is the lock: one open run a mesh.
 * @throws ExitError (1) that names the running one
 */
export async function startMesh(client: Client, order: MeshOrder): Promise<WorkflowHandle> {
  const { name, clusters } = order.mesh;
  const workflowId = meshWorkflowId(name);
  try {
    return await client.workflow.start(CONNECT_MESH, {
      taskQueue: TASK_QUEUE,
      workflowId,
      args: [order],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `mesh ${name}: ${order.verb} ${clusters.map(({ metadata }) => metadata.name).join(', ')}`.slice(0, 200),
      staticDetails: `Started by ${whoAmI()}: \`ciliate mesh ${order.verb}\`. Cancel stops it between two writes and gives the Lease back; the next run goes on from there.`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw failedError(`mesh ${name} is being changed already: workflow ${workflowId}. See \`ciliate mesh status -f MESH\``);
  }
}

/** The newest run's status: from its query, or from what it left; undefined where there never was one, or nobody answers. */
export async function meshRunStatus(client: Client, mesh: string): Promise<{ status: MeshStatus; open: boolean } | undefined> {
  const handle = client.workflow.getHandle(meshWorkflowId(mesh));
  try {
    const open = isOpen(await handle.describe());
    if (!open) return { status: await endedMesh(handle), open };
    return { status: await client.withDeadline(Date.now() + ANSWER_MS, () => handle.query<MeshStatus>('status')), open };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || noAnswer(error)) return undefined;
    throw error;
  }
}

/** What a run that has ended says: its result, or the status in its failure. */
async function endedMesh(handle: WorkflowHandle): Promise<MeshStatus> {
  try {
    return (await handle.result()) as MeshStatus;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    const status = cause instanceof ApplicationFailure ? (cause.details?.[0] as MeshStatus | undefined) : undefined;
    if (status !== undefined) return status;
    throw failedError(`workflow ${handle.workflowId} ended without a result: ${cause?.message ?? (error as Error).message}. Start it again: it goes on from where the clusters are`);
  }
}

/** Follows a run to its end, telling what changes. */
export async function watchMesh(client: Client, mesh: string, tell: (status: MeshStatus) => void): Promise<MeshStatus> {
  let told = '';
  for (;;) {
    const seen = await meshRunStatus(client, mesh);
    if (seen !== undefined) {
      const text = JSON.stringify(seen.status);
      if (text !== told) tell(seen.status);
      told = text;
      if (!seen.open) return seen.status;
    }
    await sleep(POLL_MS);
  }
}

/** `unproven` is 1, like every state that is not wholly what was asked for. */
export function meshExit({ state }: MeshStatus): ExitCode {
  switch (state) {
    case 'running':
    case 'connected':
    case 'disconnected':
      return EXIT.done;
    case 'unproven':
    case 'blocked':
    case 'failed':
      return EXIT.failed;
  }
}
