import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { migrationWorkflowId } from '../../domain/names.js';
import { isOpen, queryRun } from '../../activities/clients/query.js';
import type { Question } from '../../activities/clients/query.js';
import { failedError } from '../exit.js';
import { grpcError } from '../client.js';

/** How long a live worker may take to answer before it counts as absent. */
export const ANSWER_MS = Number(process.env['CILIATE_ANSWER_MS'] ?? 5_000);

/** What kinds of runs there are: how people call them, and what to type about one. */
export interface RunKind {
  noun: string;
  workflowId(name: string): string;
  /** How one is started, for who names one that is not there. */
  start: string;
  /** What tells how one ended. */
  look: string;
}

const MIGRATION: RunKind = { noun: 'migration', workflowId: migrationWorkflowId, start: '`ciliate start -f SPEC` (CLUSTER is metadata.name)', look: 'ciliate report' };

/** A run of a migration (or of a fleet), by its name. It may be open or closed. */
export interface Run {
  migration: string;
  kind: RunKind;
  handle: WorkflowHandle;
  description: WorkflowExecutionDescription;
  open: boolean;
}

/**
 * The newest run of a migration, or of another kind.
 * @throws ExitError (1) when there never was one, or Temporal has forgotten it
 */
export async function findRun(client: Client, migration: string, kind = MIGRATION): Promise<Run> {
  const handle = client.workflow.getHandle(kind.workflowId(migration));
  try {
    const description = await handle.describe();
    return { migration, kind, handle, description, open: isOpen(description) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw failedError(`no ${kind.noun} called ${migration} in namespace ${client.options.namespace}: start it with ${kind.start}`);
    }
    throw error;
  }
}

/** Only an open run can be told anything. */
export function expectOpen(run: Run): void {
  if (run.open) return;
  throw failedError(`the ${run.kind.noun} ${run.migration} is not running (${run.description.status.name.toLowerCase()}): see \`${run.kind.look} ${run.migration}\``);
}

/** The answer to a query, or undefined when no worker answers it in time. */
export async function ask<T>(client: Client, run: Run, question: Omit<Question<T>, 'withinMs'>): Promise<T | undefined> {
  try {
    return await queryRun<T>(client, run.description, { ...question, withinMs: ANSWER_MS });
  } catch (error) {
    if (noAnswer(error)) return undefined;
    throw error;
  }
}

const GRPC_DEADLINE = 4;
const GRPC_CANCELLED = 1;
/** "no poller seen for task queue recently", or a workflow task that keeps failing. */
const GRPC_FAILED_PRECONDITION = 9;

/** Whether an error only says that nobody was there to answer. */
export function noAnswer(error: unknown): boolean {
  if (error instanceof Error && error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError') return true;
  const code = grpcError(error)?.code;
  return code === GRPC_DEADLINE || code === GRPC_CANCELLED || code === GRPC_FAILED_PRECONDITION;
}
