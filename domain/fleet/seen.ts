import { clipped } from '../clipped.js';
import { ALL_PHASES } from '../status.js';
import type { MigrationReport, MigrationStatus, RunState } from '../status.js';
import type { ClusterSeen } from './members.js';

/** Texts of hundreds of clusters are carried on by their fleet; the whole stands in each cluster's own status. */
const LONGEST = 160;

/** A run that answers. A pause of its own (a failed canary, a step that needs a person) is a block like a stuck drain. */
export function seenOfStatus(status: MigrationStatus): ClusterSeen {
  const { state, phase, nodes, paused, gate, forces, migration } = status;
  const itself = paused?.by === 'ciliate' ? paused.reason : null;
  const force = forces[0] === undefined ? null : `waits for an approval of force for ${forces[0].node.name}: ciliate status ${migration}`;
  return {
    state,
    phase,
    nodes: { done: nodes.done, total: nodes.total },
    blocked: cut(itself ?? status.blocked[0] ?? force),
    waits: cut(gate !== null ? `gate ${gate.gate}: ciliate approve ${migration} ${gate.gate}` : paused === null ? null : `paused by ${paused.by}: ${paused.reason}`),
  };
}

/** A run that has ended and left a report. */
export function seenOfReport({ state, phases, nodes, counts, problem }: MigrationReport): ClusterSeen {
  const done = nodes.filter(({ outcome }) => outcome !== 'handed-back' && outcome !== 'postponed').length;
  return { state, phase: phases.at(-1)?.phase ?? 'preflight', nodes: { done, total: done + counts.aws }, blocked: null, waits: cut(problem) };
}

/** A run that ended without a report: cancelled is aborted, terminated has given nothing back. */
export function seenOfEnd(how: string, migration: string): ClusterSeen {
  const state: RunState = how === 'cancelled' || how === 'canceled' ? 'aborted' : 'failed';
  const why = state === 'aborted' ? `was cancelled: ciliate report ${migration}` : `${how}, without a report: start it again, or ciliate release ${migration}`;
  return { state, phase: 'preflight', nodes: { done: 0, total: 0 }, blocked: null, waits: cut(why) };
}

export interface Unanswered {
  taskQueue: string;
  /** Search attributes by name: little, but true without a worker. */
  attributes: Record<string, unknown>;
  since: string;
  /** It has been so for too long: a person should start a worker. */
  overdue: boolean;
}

/** A run whose worker does not answer. */
export function seenUnanswered({ taskQueue, attributes, since, overdue }: Unanswered): ClusterSeen {
  const number = (name: string): number => (typeof attributes[name] === 'number' ? attributes[name] : 0);
  const why = `no worker answers on task queue ${taskQueue} since ${since}: ciliate worker --task-queue ${taskQueue}`;
  return {
    state: 'running',
    phase: ALL_PHASES.find((phase) => phase === attributes['CiliatePhase']) ?? 'preflight',
    nodes: { done: number('CiliateNodesDone'), total: number('CiliateNodesTotal') },
    blocked: overdue ? cut(why) : null,
    waits: overdue ? null : cut(why),
    unanswered: since,
  };
}

/** What of a cluster decides something; the rest is progress. */
export function decisive({ state, blocked, waits }: ClusterSeen): unknown {
  return [state, blocked, waits];
}

function cut(text: string | null): string | null {
  return text === null ? null : clipped(text, LONGEST);
}
