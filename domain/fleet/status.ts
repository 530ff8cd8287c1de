import type { AuditEntry, Phase, RunState } from '../status.js';
import type { RingGate } from './control.js';
import type { WindowState } from './windows.js';

/** One cluster in lists. */
export interface ClusterLine {
  name: string;
  ring: string;
  /** A {@link RunState}, `waiting` (its turn has not come), `starting`, `blocked`, or `not started` (the fleet was aborted before). */
  state: string;
  phase: Phase | null;
  nodes: { done: number; total: number };
  /** What a person must see to. */
  blocked: string | null;
  /** What it waits for otherwise. */
  waits: string | null;
  /** cilium.clusterId that it is migrated with; null: none, or its own file's (adopted). */
  clusterId: number | null;
  taskQueue: string | null;
  /** It was being migrated already. */
  adopted: boolean;
}

export interface RingCounts {
  name: string;
  total: number;
  waiting: number;
  inFlight: number;
  blocked: number;
  done: number;
  /** Ended, and not as done. */
  failed: number;
  maxInFlight: number;
}

/** Answer of a fleet's `status` query, and its result; stable: keys are only ever added. */
export interface FleetStatus {
  version: 1;
  ciliate: string;
  fleet: string;
  workflowId: string;
  runId: string;
  state: RunState;
  /** ISO 8601. */
  startedAt: string;
  endedAt: string | null;
  /** One line: what is wrong, or what it waits for. */
  problem: string | null;
  paused: { by: string; reason: string; at: string } | null;
  gate: RingGate | null;
  /** Null: there are no windows. */
  window: WindowState | null;
  budget: { allowed: number; failing: string[] };
  rings: RingCounts[];
  /** Those that need a person first, then those in flight, those that failed, waiting, done; at most {@link LINES}. */
  clusters: ClusterLine[];
  /** How many clusters stand in no line. */
  omitted: number;
  audit: AuditEntry[];
  notes: string[];
}

/** So many clusters are told one by one: a payload has its limits. */
export const LINES = 500;
