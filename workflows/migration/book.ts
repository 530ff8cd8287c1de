import type { PlanDigest, TemporalFacts } from '../../activities/api.js';
import { initialControl, openForces } from '../../domain/control.js';
import type { Control } from '../../domain/control.js';
import { blockerLine } from '../../domain/refresh.js';
import type { NodeProgress, NodeResult } from '../../domain/refresh.js';
import type { Ramp } from '../../domain/pool/ramp.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { MigrationReport, MigrationStatus, NodeCounts, Phase, PhaseRecord, RunState } from '../../domain/status.js';
import { CILIATE_VERSION } from '../../domain/version.js';

/**
 * All that a migration remembers: carried through continue-as-new, answered by queries. What can be read from the cluster is
 * not in here. Version it with care: a run of months is continued by newer workers; fields are only ever added.
 */
export interface Book {
  version: 1;
  startedAt: string;
  endedAt: string | null;
  phase: Phase;
  outcome: RunState | null;
  problem: string | null;
  facts: TemporalFacts | null;
  manifest: Manifest | null;
  plan: PlanDigest | null;
  control: Control;
  /** The Lease is ours: there is something to give back. */
  taken: boolean;
  canaryDone: boolean;
  /** How far the refresh trusts itself (domain/pool/ramp.ts); null before it began. */
  ramp: Ramp | null;
  counts: NodeCounts;
  phases: PhaseRecord[];
  nodes: NodeResult[];
  /** How often each node was postponed, by instance id. */
  postponed: Record<string, number>;
  /** How uneven each group's zones were when they were last evened out. */
  evened?: Record<string, number>;
  proofs: string[];
  notes: string[];
  finalValues: string | null;
}

export function newBook(startedAt: string): Book {
  return {
    version: 1,
    startedAt,
    endedAt: null,
    phase: 'preflight',
    outcome: null,
    problem: null,
    facts: null,
    manifest: null,
    plan: null,
    control: initialControl({ soakSeconds: 0, canarySoakSeconds: 0, maxSurge: 0, maxUnavailable: 1, failuresInARow: { canary: 1, later: 3 }, drain: { emptyDir: 'evict', barePods: 'block', timeLimitSeconds: 1_800, onTimeout: 'skip-to-end', surgeSingletons: false } }),
    taken: false,
    canaryDone: false,
    ramp: null,
    counts: { aws: 0, cilium: 0, pending: 0 },
    phases: [],
    nodes: [],
    postponed: {},
    proofs: [],
    notes: [],
    finalValues: null,
  };
}

export interface RunIds {
  workflowId: string;
  runId: string;
}

export function stateOf(book: Book): RunState {
  if (book.outcome) return book.outcome;
  if (book.control.abort ?? book.control.takingBack) return 'aborting';
  if (book.control.gate) return 'waiting-approval';
  return book.control.paused ? 'paused' : 'running';
}

export function statusOf(book: Book, ids: RunIds, inFlight: NodeProgress[]): MigrationStatus {
  const done = book.nodes.filter((node) => node.outcome !== 'handed-back' && node.outcome !== 'postponed').length;
  return {
    version: 1,
    migration: book.manifest?.metadata.name ?? ids.workflowId.replace(/^cilium-migration\//, ''),
    ...ids,
    state: stateOf(book),
    phase: book.phase,
    since: book.phases.at(-1)?.startedAt ?? book.startedAt,
    startedAt: book.startedAt,
    gate: book.control.gate,
    forces: openForces(book.control),
    paused: book.control.paused,
    counts: book.counts,
    nodes: {
      done,
      total: done + book.counts.aws,
      skipped: book.control.skipped.map((node) => node.name),
      failed: book.nodes.filter((node) => node.outcome === 'unproven').map((node) => node.node.name),
      postponed: book.nodes.filter((node) => node.outcome === 'postponed').map((node) => node.node.name),
    },
    inFlight,
    awaits: [],
    blocked: inFlight.flatMap((node) => node.blockers.filter(({ firm }) => firm).map((blocker) => `${node.node.name}: ${blockerLine(blocker)}`)),
    findings: book.plan?.findings ?? [],
    phases: book.phases,
    audit: book.control.audit,
    problem: book.problem,
  };
}

export function reportOf(book: Book, ids: RunIds): MigrationReport {
  return {
    version: 1,
    ciliate: CILIATE_VERSION,
    migration: book.manifest?.metadata.name ?? ids.workflowId.replace(/^cilium-migration\//, ''),
    workflowId: ids.workflowId,
    state: stateOf(book),
    startedAt: book.startedAt,
    endedAt: book.endedAt,
    problem: book.problem,
    cilium: { version: book.plan?.chart.version ?? '', chartSha256: book.plan?.chart.sha256 ?? '' },
    counts: book.counts,
    phases: book.phases,
    nodes: book.nodes,
    findings: book.plan?.findings ?? [],
    audit: book.control.audit,
    proofs: book.proofs,
    notes: book.notes,
    finalValues: book.finalValues,
  };
}
