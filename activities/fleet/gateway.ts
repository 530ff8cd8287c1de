import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { isOpen, queryRun } from '../clients/query.js';
import { migrationWorkflowId } from '../../domain/names.js';
import type { MigrationReport, MigrationStatus } from '../../domain/status.js';

/** A migration's newest run, as Temporal knows it. */
export type RunFacts =
  | { is: 'unknown' }
  /** `status` is null where no worker answered; `attributes` are then all that is known. */
  | { is: 'open'; status: MigrationStatus | null; attributes: Record<string, unknown>; taskQueue: string }
  | { is: 'closed'; how: string; report: MigrationReport | null };

/** The little that a fleet asks of Temporal about its clusters. */
export interface FleetGateway {
  run(migration: string): Promise<RunFacts>;
}

/** A live worker answers within this; a cluster without one must not hold up the look at the others. */
const ANSWER_MS = 3_000;
/** Answers kept; a status is as it was while its run's history has not grown. */
const KEPT = 1_000;

/** On a client; `client` is called anew each time, since an activity's client belongs to its context. */
export function fleetGateway(client: () => Client): FleetGateway {
  const answers = new Map<string, { history: number; facts: RunFacts }>();
  return {
    async run(migration) {
      const handle = client().workflow.getHandle(migrationWorkflowId(migration));
      const description = await describe(handle);
      if (description === undefined) return { is: 'unknown' };
      const kept = answers.get(description.runId);
      if (kept !== undefined && kept.history === description.historyLength) return kept.facts;
      const facts = isOpen(description) ? await openRun(client(), description) : await closedRun(handle, description);
      if (facts.is !== 'open' || facts.status !== null) keep(answers, description, facts);
      return facts;
    },
  };
}

/** The gateway of a worker: on the client that every activity's context carries. */
export function activityFleetGateway(): FleetGateway {
  return fleetGateway(() => Context.current().client);
}

function keep(answers: Map<string, { history: number; facts: RunFacts }>, { runId, historyLength }: WorkflowExecutionDescription, facts: RunFacts): void {
  answers.delete(runId);
  answers.set(runId, { history: historyLength, facts });
  const oldest = answers.keys().next().value;
  if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest);
}

async function describe(handle: WorkflowHandle): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function openRun(client: Client, description: WorkflowExecutionDescription): Promise<RunFacts> {
  const attributes = Object.fromEntries(Object.entries(description.searchAttributes).map(([name, values]) => [name, Array.isArray(values) ? values[0] : values]));
  const status = await queryRun<MigrationStatus>(client, description, { query: 'status', withinMs: ANSWER_MS }).catch(() => null);
  return { is: 'open', status, attributes, taskQueue: description.taskQueue };
}

/** The report stands in the result, or in the failure's details; a run that was terminated or timed out has none. */
async function closedRun(handle: WorkflowHandle, description: WorkflowExecutionDescription): Promise<RunFacts> {
  const how = description.status.name.toLowerCase();
  try {
    return { is: 'closed', how, report: (await handle.result()) as MigrationReport };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const details: unknown = (error.cause as { details?: unknown } | undefined)?.details;
    const report = Array.isArray(details) ? (details as (MigrationReport | undefined)[])[0] : undefined;
    return { is: 'closed', how, report: report ?? null };
  }
}
