import type { Toward } from './directions/index.js';
import type { Finding } from './findings.js';
import type { OpenForce } from './force.js';
import type { Blocker, NodeOutcome, NodeProgress, NodeResult } from './refresh.js';
import type { Gate, Strategy } from './spec/words.js';

/** Steps of a migration, in order (docs/guide.md). */
export const PHASES = [
  'preflight',
  'take',
  'guard',
  'label',
  'restrict',
  'install',
  'refresh',
  'prove',
  'enforce',
  'soak',
  'remove',
  'finalise',
  'give-back',
] as const;

/** Steps with strategy `chain`, in order (docs/strategies.md). */
export const CHAIN_PHASES = ['preflight', 'take', 'install', 'restart', 'prove', 'enforce', 'give-back'] as const;

/** Steps with strategy `clean`, in order (docs/strategies.md). */
export const CLEAN_PHASES = ['preflight', 'take', 'guard', 'label', 'remove', 'install', 'refresh', 'restart', 'prove', 'finalise', 'give-back'] as const;

/** Steps of a rollback, in order (docs/rollback.md). Those of the same name do the same. */
export const ROLLBACK_PHASES = [
  'preflight',
  'take',
  'unwind',
  'guard',
  'quiet',
  'mark',
  'confine',
  'restore',
  'refresh',
  'prove',
  'uninstall',
  'give-back',
] as const;

/** Steps of a rollback with strategy `chain`, in order: aws-node was never taken away. */
export const CHAIN_ROLLBACK_PHASES = ROLLBACK_PHASES.filter((phase) => phase !== 'restore');

export type MigrationPhase = (typeof PHASES)[number] | (typeof CHAIN_PHASES)[number] | (typeof CLEAN_PHASES)[number];
export type RollbackPhase = (typeof ROLLBACK_PHASES)[number];
export type Phase = MigrationPhase | RollbackPhase;

/** The steps of a run. */
export function phasesOf({ toward, strategy = 'replace' }: { toward?: Toward | undefined; strategy?: Strategy | undefined }): readonly Phase[] {
  if (toward === 'aws-node') return strategy === 'chain' ? CHAIN_ROLLBACK_PHASES : ROLLBACK_PHASES;
  return STRATEGY_PHASES[strategy];
}

const STRATEGY_PHASES: Record<Strategy, readonly Phase[]> = { replace: PHASES, chain: CHAIN_PHASES, clean: CLEAN_PHASES };

/** Every step of every run, each once. */
export const ALL_PHASES: readonly Phase[] = [...new Set<Phase>([...PHASES, ...CHAIN_PHASES, ...CLEAN_PHASES, ...ROLLBACK_PHASES])];

/** How a run stands; the first four are open, the others final. */
export type RunState = 'running' | 'paused' | 'waiting-approval' | 'aborting' | 'done' | 'partial' | 'failed' | 'aborted';

/** A gate that waits: what it decides on, digested. An approval must carry the same digest. */
export interface OpenGate {
  gate: Gate;
  digest: string;
  /** What the digest covers, for the person who approves: one line each. */
  shows: string[];
  /** ISO 8601. */
  since: string;
}

export interface PhaseRecord {
  phase: Phase;
  startedAt: string;
  endedAt?: string;
  /** What was done, one line. */
  note?: string;
}

/** One thing a person did or said, kept for the report. */
export interface AuditEntry {
  /** ISO 8601. */
  at: string;
  /** approve, pause, resume, abort, skip, retry, set. */
  verb: string;
  /** Who, as they said it themselves. */
  by: string;
  reason: string;
  /** Gate, node or KEY=VALUE. */
  on?: string;
  digest?: string;
  /** Pods that were approved to be deleted, `namespace/name`. */
  pods?: string[];
  /** Why it was ignored: signals are not validated before they land. */
  ignored?: string;
}

export interface NodeCounts {
  /** Labelled `cni-plugin=aws`. */
  aws: number;
  /** On Cilium. */
  cilium: number;
  /** Neither yet: booting. */
  pending: number;
}

/** Names are at most 50 a list; `counts` says how many there are. */
export interface NodesStatus {
  done: number;
  total: number;
  skipped: string[];
  failed: string[];
  postponed: string[];
  counts: { skipped: number; failed: number; postponed: number; inFlight: number };
  /** Pages of done nodes that are filed in the cluster (`ciliate status CLUSTER --page N`). */
  pages: number;
}

/** Answer of the `status` query; stable: keys are only ever added. */
export interface MigrationStatus {
  version: 1;
  migration: string;
  workflowId: string;
  runId: string;
  /** ISO 8601: the run could not answer in time, and stood like this then; lists are cut (domain/snapshot.ts). Absent: it answered. */
  asOf?: string;
  state: RunState;
  /** Where the nodes move to: `aws-node` in a rollback; absent: to Cilium. */
  toward?: Toward;
  /** Absent: `replace`. */
  strategy?: Strategy;
  phase: Phase;
  /** ISO 8601: since when this phase. */
  since: string;
  startedAt: string;
  gate: OpenGate | null;
  /** Open gates `force`, one a node; the rest of the run goes on. */
  forces: OpenForce[];
  paused: { by: string; reason: string; at: string } | null;
  counts: NodeCounts;
  nodes: NodesStatus;
  inFlight: NodeProgress[];
  /** What the current step waits for, nodes in flight apart; most of it passes by itself. */
  awaits: Blocker[];
  /** What a person must look at, first line first. */
  blocked: string[];
  findings: Finding[];
  phases: PhaseRecord[];
  audit: AuditEntry[];
  /** One line: what went wrong, and what to do. Null while all is well. */
  problem: string | null;
}

/** The report: the workflow's result, and the answer of its `report` query while it still runs. */
export interface MigrationReport {
  version: 1;
  ciliate: string;
  migration: string;
  workflowId: string;
  state: RunState;
  /** Where the nodes were moved to: `aws-node` in a rollback; absent: to Cilium. */
  toward?: Toward;
  /** Absent: `replace`. */
  strategy?: Strategy;
  startedAt: string;
  endedAt: string | null;
  problem: string | null;
  cilium: { version: string; chartSha256: string };
  counts: NodeCounts;
  phases: PhaseRecord[];
  /** The newest results: all of them where nothing is filed. */
  nodes: NodeResult[];
  /** All nodes by how they ended last. */
  tally: Partial<Record<NodeOutcome, number>>;
  /** Older results, in ConfigMaps of the cluster (docs/adr/0011); null where there are none. */
  filed: { run: string; pages: number } | null;
  findings: Finding[];
  audit: AuditEntry[];
  /** What was proven, one line each. */
  proofs: string[];
  /** What was left, and by whom: guards that were no longer ours, scheduled actions missed, nodes skipped. */
  notes: string[];
  /** Final Helm values as YAML, for the user's own GitOps; null before they are applied. */
  finalValues: string | null;
}
