import type { PlanDigest, TemporalFacts } from '../../activities/api.js';
import { directionOf } from '../../domain/directions/index.js';
import type { Toward } from '../../domain/directions/index.js';
import { initialControl, openForces, pauseOf } from '../../domain/control.js';
import type { Control } from '../../domain/control.js';
import { blockerLine } from '../../domain/refresh.js';
import type { NodeProgress } from '../../domain/refresh.js';
import { doneCount, namesOf, noResults } from '../../domain/results.js';
import type { Results } from '../../domain/results.js';
import { shortRun } from '../../domain/names.js';
import type { Ramp } from '../../domain/pool/ramp.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { MigrationReport, MigrationStatus, NodeCounts, Phase, PhaseRecord, RunState } from '../../domain/status.js';
import { CILIATE_VERSION } from '../../domain/version.js';
import type { FlightPlan } from '../messages.js';

/** How far the restart of pods has come. */
export interface Restarts {
  owners: number;
  evicted: number;
  /** `Kind namespace/name` of owners that took too long: tried once more when no other is left. */
  later: string[];
  /** Took too long twice. */
  left: string[];
}

/** A node in flight, as the next run goes on with it. */
export interface CarriedFlight {
  plan: FlightPlan;
  progress: NodeProgress;
  /** Its replacement did not come up: counted already. */
  failing: boolean;
  /** Number of its newest steering. */
  turn?: number;
}

/**
 * All that a migration remembers: carried through continue-as-new, answered by queries. What can be read from the cluster is
 * not in here. Version it with care: a run of months is continued by newer workers; fields are only ever added.
 */
export interface Book {
  version: 1;
  startedAt: string;
  endedAt: string | null;
  /** Where the nodes move to; absent: to Cilium. */
  toward?: Toward;
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
  results: Results;
  /** Nodes in flight when the run continued as new (flights.ts); filled only then. */
  flights: CarriedFlight[];
  /** The guards of the set `changing` are held. */
  holdsChanging: boolean;
  /** How uneven each group's zones were when they were last evened out. */
  evened?: Record<string, number>;
  proofs: string[];
  notes: string[];
  finalValues: string | null;
  /** Pods that were restarted (chain, clean); absent before it began. */
  restarts?: Restarts;
}

export function newBook(startedAt: string, toward: Toward = 'cilium'): Book {
  return {
    version: 1,
    startedAt,
    endedAt: null,
    ...(toward === 'cilium' ? {} : { toward }),
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
    results: noResults(),
    flights: [],
    holdsChanging: false,
    proofs: [],
    notes: [],
    finalValues: null,
  };
}

export interface RunIds {
  workflowId: string;
  runId: string;
  /** Of the first of the runs that continued as new. */
  firstRunId: string;
}

export function stateOf(book: Book): RunState {
  if (book.outcome) return book.outcome;
  if (book.control.abort ?? book.control.takingBack) return 'aborting';
  if (book.control.gate) return 'waiting-approval';
  return pauseOf(book.control) ? 'paused' : 'running';
}

/** Names a list of the status; how many there are stands beside it. */
const NAMED = 50;
/** Lines of blockers. */
const LINES = 100;

export function statusOf(book: Book, ids: RunIds, inFlight: NodeProgress[]): MigrationStatus {
  const { results, control } = book;
  const done = doneCount(results);
  const blocked = inFlight.flatMap((node) => node.blockers.filter(({ firm }) => firm).map((blocker) => `${node.node.name}: ${blockerLine(blocker)}`));
  return {
    version: 1,
    migration: book.manifest?.metadata.name ?? ids.workflowId.replace(/^cilium-migration\//, ''),
    workflowId: ids.workflowId,
    runId: ids.runId,
    state: stateOf(book),
    ...(book.toward === undefined ? {} : { toward: book.toward }),
    ...strategyOf(book),
    phase: book.phase,
    since: book.phases.at(-1)?.startedAt ?? book.startedAt,
    startedAt: book.startedAt,
    gate: book.control.gate,
    forces: openForces(book.control),
    paused: pauseOf(book.control),
    counts: book.counts,
    nodes: {
      done,
      total: done + book.counts[directionOf(book).count.old],
      skipped: control.skipped.slice(0, NAMED).map((node) => node.name),
      failed: namesOf(results, 'unproven', NAMED),
      postponed: namesOf(results, 'postponed', NAMED),
      counts: { skipped: control.skipped.length, failed: results.tally.unproven ?? 0, postponed: results.tally.postponed ?? 0, inFlight: inFlight.length },
      pages: results.pages,
    },
    inFlight,
    awaits: [],
    blocked: blocked.slice(0, LINES),
    findings: book.plan?.findings ?? [],
    phases: book.phases,
    audit: book.control.audit,
    problem: book.problem,
  };
}

/** Said only where it is another than the usual one. */
function strategyOf({ manifest }: Book): Pick<MigrationStatus, 'strategy'> {
  const strategy = manifest?.spec.strategy ?? 'replace';
  return strategy === 'replace' ? {} : { strategy };
}

export function reportOf(book: Book, ids: RunIds): MigrationReport {
  return {
    version: 1,
    ciliate: CILIATE_VERSION,
    migration: book.manifest?.metadata.name ?? ids.workflowId.replace(/^cilium-migration\//, ''),
    workflowId: ids.workflowId,
    state: stateOf(book),
    ...(book.toward === undefined ? {} : { toward: book.toward }),
    ...strategyOf(book),
    startedAt: book.startedAt,
    endedAt: book.endedAt,
    problem: book.problem,
    cilium: { version: book.plan?.chart.version ?? '', chartSha256: book.plan?.chart.sha256 ?? '' },
    counts: book.counts,
    phases: book.phases,
    nodes: book.results.newest,
    tally: book.results.tally,
    filed: book.results.pages === 0 ? null : { run: shortRun(ids.firstRunId), pages: book.results.pages },
    findings: book.plan?.findings ?? [],
    audit: book.control.audit,
    proofs: book.proofs,
    notes: book.notes,
    finalValues: book.finalValues,
  };
}
