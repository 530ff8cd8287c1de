import type { OpenForce } from './force.js';
import type { NodeRef } from './plan.js';

/** Steps of one node's refresh, in order; shown in status and timed in the report. */
export const NODE_STEPS = [
  'prepare',
  'drain',
  'await-volumes',
  'terminate',
  'await-terminated',
  'await-node-gone',
  'await-replacement',
  'await-workloads',
  'await-probes',
] as const;
export type NodeStep = (typeof NODE_STEPS)[number];

/** What keeps a wait from ending, for people: one line a cause, the most important first. */
export interface Blocker {
  /** `Pod shop/cart-7d9f`, `ASG workers`, `Node ip-10-0-1-7` … */
  object: string;
  /** e.g. `PDB shop/cart needs 2 healthy, has 2`. */
  reason: string;
  /** What would free it. */
  todo: string;
  /**
   * A person is needed: it will not pass by itself, or has not for long. Only these count as blocked; the others are what
   * any migration waits for (an instance that boots, a pod that terminates).
   */
  firm?: boolean;
  /** ISO 8601: since when. A point in time, never an age (docs/adr/0003). */
  since?: string;
}

/** One line for a person: what, why, since when, what would free it. */
export function blockerLine({ object, reason, since, todo }: Blocker): string {
  return `${object}: ${reason}${since === undefined ? '' : `, since ${since.replace(/\.\d+Z$/, 'Z')}`}. ${todo}`.trim();
}

/** The first few blockers on one line; the rest are counted. */
export function blockerLines(blockers: Blocker[], named = 3): string {
  const more = blockers.length > named ? [`and ${blockers.length - named} more`] : [];
  return [...blockers.slice(0, named).map(blockerLine), ...more].join(' | ');
}

/** One workload whose pods are evicted with a node, and how many of its replicas were ready before. */
export interface WorkloadReady {
  kind: string;
  namespace: string;
  name: string;
  ready: number;
  /** Of a controller of an unknown kind: its pods are counted instead. */
  uid?: string;
}

/**
 * How a node's refresh ended. `refreshed`: replaced by a proven Cilium node (or removed, with decrement).
 * `handed-back`: left as it was found (skip, abort before the point of no return). `gone`: somebody else had removed it.
 * `unproven`: terminated, but its replacement was not proven (aborted meanwhile). `postponed`: its drain took too long, so it was
 * left as it was found; it is tried once more at the end.
 */
export const NODE_OUTCOMES = ['refreshed', 'gone', 'handed-back', 'postponed', 'unproven'] as const;
export type NodeOutcome = (typeof NODE_OUTCOMES)[number];

/** Compact on purpose: a hundred of them are one page (domain/results.ts). */
export interface NodeResult {
  node: NodeRef;
  outcome: NodeOutcome;
  why?: string;
  replacement?: { name: string; instanceId: string; zone: string };
  /** ISO 8601. */
  startedAt: string;
  endedAt: string;
  /** Seconds each step took. */
  seconds: Partial<Record<NodeStep, number>>;
  /** Evicted, or deleted by approval. */
  evictedPods: number;
  /** What a person should know of it, one line each. */
  notes?: string[];
}

/** What a node's workflow tells: answered by its `status` query, signalled to its parent when blockers change. */
export interface NodeProgress {
  node: NodeRef;
  step: NodeStep;
  /** ISO 8601. */
  since: string;
  blockers: Blocker[];
  paused: boolean;
  /** Its gate `force`, where one is open. */
  force?: OpenForce;
  /** Goes up with every word of the node to its parent: signals may come out of order. */
  seq?: number;
  /** The newest of its parent's steerings that the node had heard. */
  heard?: number;
}
