import type { NodeRef } from '../plan.js';

/** Seconds that pods may take to end (grace periods): the slowest of them, and all together. */
export interface Ends {
  slowest: number;
  sum: number;
}

/** Of a node without pods. */
export const NO_ENDS: Ends = { slowest: 0, sum: 0 };

/** A node that is to be refreshed, or is being refreshed. */
export interface PoolNode {
  ref: NodeRef;
  /** A pod of cilium-operator runs there. */
  hostsOperator: boolean;
  /** Milliseconds since the epoch. */
  created: number;
  /** The operator's order, lower first. */
  rank: number;
  /** Ready, schedulable and without a NoSchedule or NoExecute taint. One that is not costs nothing to lose. */
  usable: boolean;
  /** Pods of each PodDisruptionBudget on this node, by `namespace/name`. */
  budgets: Readonly<Record<string, number>>;
  /** Greater than 0: meant to go late, the greater the later (`lastToGo`), so that the group's zones end balanced. */
  keptForLast?: number;
  /** Absent: none. */
  ends?: Ends;
}

export interface FlyingNode extends PoolNode {
  /** From its start until the last of its pods is gone; `budgets` has the pods that are still there. */
  draining: boolean;
}

export interface PoolLimits {
  maxUnavailable: number;
  /** Most nodes in flight (domain/pool/ramp.ts). */
  width: number;
  perZone?: number;
  perGroup?: number;
}

export interface PoolView {
  /** Every node that is still to be started, also those of groups that may not start now. */
  candidates: readonly PoolNode[];
  inFlight: readonly FlyingNode[];
  /** Disruptions allowed now plus those that draining nodes use now, by `namespace/name`; a budget that is missing allows none. */
  budgets: Readonly<Record<string, number>>;
  /** Nodes at the start, and usable now, with those in flight that are usable still. */
  nodes: { wanted: number; usable: number };
  /** New nodes that are usable: where pods go that are evicted. Absent: not known, as none. */
  fresh?: number;
  limits: PoolLimits;
  /** Nodes of a group that are to be terminated with decrement, without those in flight that will be. Absent: none. */
  surplus?: Readonly<Record<string, number>>;
  /** Old nodes that a group keeps in a zone for the last, by group and zone (`keptByZone`). Absent: none. */
  keptByZone?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Groups that grow only when pods wait, and how many of their nodes may be missing besides maxUnavailable. Absent: none. */
  onDemand?: { groups: readonly string[]; missing: number };
  /** Only nodes of these groups may start: those whose canary comes next. Absent: all. */
  onlyGroups?: readonly string[];
}

export interface Admission {
  start: { node: NodeRef; decrement: boolean }[];
  /** Why the next ones wait: a few, in words for people. */
  waits: { node: NodeRef; why: string }[];
}
