import type { Client } from '@temporalio/client';
import { SNAPSHOT_MEMO } from '../../domain/names.js';
import { NODE_OUTCOMES } from '../../domain/refresh.js';
import type { NodeOutcome } from '../../domain/refresh.js';
import { instant } from '../../domain/report/text.js';
import type { Snapshot } from '../../domain/snapshot.js';
import { ALL_PHASES } from '../../domain/status.js';
import type { MigrationReport, MigrationStatus, NodesStatus, Phase, RunState } from '../../domain/status.js';
import { ask } from './handle.js';
import type { Run } from './handle.js';

/** A run that has not answered after this many milliseconds is busy: what it has left is shown, so that a status never takes much longer. */
const BUSY_MS = 400;
/** As long as it has left something within so many milliseconds. One with nodes in flight does so every 10 s; a longer silence is for the question to tell. */
const FRESH_MS = 30_000;

/** A status and where it came from. */
export interface SeenStatus {
  status: MigrationStatus;
  /** Null: the run itself answered. Else one line about what is shown instead. */
  instead: string | null;
}

/**
 * The status of a run: from its `status` query; where it is busy, or no worker is there, from the snapshot it has left; of one that is
 * over from its result; else from what Temporal knows by itself.
 */
export async function readStatus(client: Client, run: Run): Promise<SeenStatus> {
  if (!run.open) {
    // A closed run has said everything in its result: no worker is needed, and none is asked.
    const report = await closedReport(run);
    if (report !== undefined) return { status: statusOfReport(report, run), instead: null };
  }
  const left = freshSnapshot(run) ?? begun(run);
  if (left?.continuesAsNew === true) return busy(left.status);
  const status = await ask<MigrationStatus>(client, run, {
    query: 'status',
    atEnd: (description) => endedSince({ ...run, description, open: false }),
    meanwhile: { afterMs: BUSY_MS, say: () => left?.status },
  });
  if (status === undefined) return unanswered(run);
  if (status === left?.status) return busy(status);
  return { status: run.open ? status : afterTheEnd(status, run), instead: null };
}

function busy(status: MigrationStatus): SeenStatus {
  return { status, instead: `the run has not answered yet (it is busy, or no worker is there): ${asItStood(status)}` };
}

/** No worker is there, or none that gets to it. */
function unanswered(run: Run): SeenStatus {
  const why = run.open ? 'no worker answers' : `the run ended as ${run.description.status.name.toLowerCase()} and left no report`;
  const left = snapshot(run)?.status;
  if (left === undefined) return { status: statusOfDescription(run), instead: `${why}: this is only what Temporal knows by itself` };
  const shown = run.open ? { ...left, blocked: [...pendingFailures(run), ...left.blocked], problem: left.problem ?? NO_WORKER } : afterTheEnd(left, run);
  return { status: shown, instead: `${why}: ${asItStood(left)}` };
}

const NO_WORKER = 'no worker answers: nothing moves until one is back (`ciliate worker`)';

function asItStood({ asOf = '?' }: MigrationStatus): string {
  return `this is how it stood at ${instant(asOf)}`;
}

function freshSnapshot(run: Run): Snapshot | undefined {
  const left = run.open ? snapshot(run) : undefined;
  return Date.now() - Date.parse(left?.status.asOf ?? '') < FRESH_MS ? left : undefined;
}

/** Of a run that has only just begun, and that a worker may not have taken up yet. */
function begun(run: Run): Snapshot | undefined {
  const { startTime } = run.description;
  const isYoung = run.open && snapshot(run) === undefined && Date.now() - startTime.getTime() < FRESH_MS;
  return isYoung ? { status: { ...statusOfDescription(run), asOf: startTime.toISOString(), problem: null } } : undefined;
}

/** What the run has left with Temporal. */
function snapshot({ description: { memo } }: Run): Snapshot | undefined {
  return memo?.[SNAPSHOT_MEMO] as Snapshot | undefined;
}

/** Of a run that was open a moment ago. */
async function endedSince(run: Run): Promise<MigrationStatus | undefined> {
  const report = await closedReport(run);
  return report && statusOfReport(report, run);
}

/** A run that was ended from outside still answers as it last stood: nothing of that waits any more. */
function afterTheEnd(status: MigrationStatus, run: Run): MigrationStatus {
  if (!OPEN.includes(status.state)) return status;
  const how = run.description.status.name.toLowerCase();
  const problem = `the run was ${how} at ${status.phase}: nothing was given back. Start it again, or \`ciliate release ${run.migration}\``;
  return { ...status, state: closedState(run), gate: null, forces: [], paused: null, inFlight: [], blocked: [], problem };
}

/** The report: from a closed run's result, else from its `report` query. Undefined when no worker answers. */
export async function readReport(client: Client, run: Run): Promise<MigrationReport | undefined> {
  const closed = run.open ? undefined : await closedReport(run);
  return closed ?? ask<MigrationReport>(client, run, { query: 'report' });
}

/** The result of a closed run, or what a failed one left in its failure's details. */
export async function closedReport(run: Run): Promise<MigrationReport | undefined> {
  try {
    const result: unknown = await run.handle.result();
    return isReport(result) ? result : undefined;
  } catch (error) {
    return inDetails(error);
  }
}

function inDetails(error: unknown): MigrationReport | undefined {
  if (!(error instanceof Error)) return undefined;
  const details: unknown = (error as { details?: unknown }).details;
  const report = Array.isArray(details) ? details.find(isReport) : undefined;
  return report ?? inDetails(error.cause);
}

function isReport(value: unknown): value is MigrationReport {
  return typeof value === 'object' && value !== null && (value as Partial<MigrationReport>).version === 1 && 'phases' in value && 'proofs' in value;
}

function statusOfReport(report: MigrationReport, run: Run): MigrationStatus {
  const last = report.phases.at(-1);
  return {
    version: 1,
    migration: report.migration,
    workflowId: report.workflowId,
    runId: run.description.runId,
    state: report.state,
    phase: last?.phase ?? 'preflight',
    since: last?.startedAt ?? report.startedAt,
    startedAt: report.startedAt,
    gate: null,
    forces: [],
    paused: null,
    counts: report.counts,
    nodes: nodesOf(report),
    inFlight: [],
    awaits: [],
    blocked: [],
    findings: report.findings,
    phases: report.phases,
    audit: report.audit,
    problem: report.problem,
  };
}

function nodesOf({ nodes, tally, filed }: MigrationReport): NodesStatus {
  const names = (outcome: NodeOutcome): string[] => nodes.filter((node) => node.outcome === outcome).map((node) => node.node.name);
  const number = (outcome: NodeOutcome): number => tally[outcome] ?? 0;
  const counts = { skipped: number('handed-back'), failed: number('unproven'), postponed: number('postponed'), inFlight: 0 };
  const total = NODE_OUTCOMES.reduce((sum, outcome) => sum + number(outcome), 0);
  return { done: number('refreshed') + number('gone'), total, skipped: names('handed-back'), failed: names('unproven'), postponed: names('postponed'), counts, pages: filed?.pages ?? 0 };
}

/** Search attributes and Temporal's own status: little, but true without a worker. */
function statusOfDescription(run: Run): MigrationStatus {
  const { description } = run;
  const attribute = (name: string): unknown => (description.searchAttributes as Record<string, unknown[] | undefined>)[name]?.[0];
  const number = (name: string): number => (typeof attribute(name) === 'number' ? (attribute(name) as number) : 0);
  const startedAt = description.startTime.toISOString();
  return {
    version: 1,
    migration: run.migration,
    workflowId: description.workflowId,
    runId: description.runId,
    state: run.open ? openState(attribute('CiliateState')) : closedState(run),
    phase: phaseOf(attribute('CiliatePhase')),
    since: startedAt,
    startedAt,
    gate: null,
    forces: [],
    paused: null,
    counts: { aws: 0, cilium: 0, pending: 0 },
    nodes: { done: number('CiliateNodesDone'), total: number('CiliateNodesTotal'), skipped: [], failed: [], postponed: [], counts: { skipped: 0, failed: 0, postponed: 0, inFlight: 0 }, pages: 0 },
    inFlight: [],
    awaits: [],
    blocked: pendingFailures(run),
    findings: [],
    phases: [],
    audit: [],
    problem: run.open ? NO_WORKER : `the run was ${description.status.name.toLowerCase()} and left no report. Start it again, or \`ciliate release ${run.migration}\``,
  };
}

const OPEN: RunState[] = ['running', 'paused', 'waiting-approval', 'aborting'];

function openState(value: unknown): RunState {
  return OPEN.find((state) => state === value) ?? 'running';
}

/** Cancelled is aborted: a person asked for it. What else leaves no result (terminated, timed out) has failed. */
function closedState({ description }: Run): RunState {
  return description.status.name === 'CANCELLED' ? 'aborted' : 'failed';
}

function phaseOf(value: unknown): Phase {
  return ALL_PHASES.find((phase) => phase === value) ?? 'preflight';
}

/** What the pending activities failed with last: often the very reason why nothing moves. */
function pendingFailures(run: Run): string[] {
  return (run.description.raw.pendingActivities ?? []).flatMap(({ activityType, lastFailure }) =>
    lastFailure?.message ? [`${activityType?.name ?? 'activity'}: ${lastFailure.message}`] : [],
  );
}
