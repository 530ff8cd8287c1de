import { clipped } from './clipped.js';
import { utf8 } from './digest.js';
import type { MigrationStatus } from './status.js';

/** Temporal warns of memos beyond 2 KiB: they come along with every list of workflows. The rest is for their encoding. */
const MOST_BYTES = 1_800;
/** Of a sentence. */
const MOST_LETTERS = 200;

/** With more nodes in flight than this some are always blocked for a moment: only whether there are any is news at once. */
const FEW = 10;

/** What a run leaves with Temporal. */
export interface Snapshot {
  /** With `asOf`. */
  status: MigrationStatus;
  /** The run is about to continue as new: asked now it would be over before it answers, and a worker would replay all of it for that. */
  continuesAsNew?: true;
}

/** What a run leaves where it stands like this. */
export function snapshotOf(status: MigrationStatus, asOf: string): Snapshot {
  return { status: short({ ...status, asOf }) };
}

/** All counts, the step, the gate; of what is blocked, in flight and has failed as much as fits, counted in `nodes.counts` or in a last line. What the step waits for, findings and the audit are left to the run. */
function short(status: MigrationStatus): MigrationStatus {
  const { nodes, gate, paused, problem } = status;
  const bare: MigrationStatus = {
    ...status,
    forces: [],
    inFlight: [],
    awaits: [],
    blocked: [],
    findings: [],
    audit: [],
    problem: problem === null ? null : sentence(problem),
    paused: paused && { ...paused, reason: sentence(paused.reason) },
    gate: gate && { ...gate, shows: [] },
    nodes: { ...nodes, skipped: [], failed: [], postponed: [] },
    phases: status.phases.slice(-1),
  };
  // Who looks in trouble looks for these.
  const stuckFirst = [...status.inFlight].sort((a, b) => Number(isBlocked(b)) - Number(isBlocked(a)));
  const steps = [
    grow(gate?.shows.map(sentence) ?? [], (into, shows) => ({ ...into, gate: into.gate && { ...into.gate, shows } }), more),
    grow(status.forces, (into, forces) => ({ ...into, forces })),
    grow(status.blocked.map(sentence), (into, blocked) => ({ ...into, blocked }), more),
    grow(stuckFirst.map((node) => ({ ...node, blockers: node.blockers.slice(0, 1) })), (into, inFlight) => ({ ...into, inFlight })),
    grow(nodes.failed, (into, failed) => ({ ...into, nodes: { ...into.nodes, failed } })),
  ];
  return steps.reduce((into, step) => step(into), bare);
}

/** Puts as many of a list into a status as it has room for; `rest` stands for those that are left out. */
function grow<T>(list: T[], put: (into: MigrationStatus, some: T[]) => MigrationStatus, rest: (left: number) => T[] = () => []) {
  return (into: MigrationStatus): MigrationStatus => {
    for (let many = Math.min(list.length, FEW); many >= 0; many--) {
      const grown = put(into, [...list.slice(0, many), ...(many < list.length ? rest(list.length - many) : [])]);
      if (bytes(grown) <= MOST_BYTES) return grown;
    }
    return into;
  };
}

function bytes(value: unknown): number {
  return utf8(JSON.stringify(value)).length;
}

function more(left: number): string[] {
  return [`… and ${left} more`];
}

function sentence(text: string): string {
  return clipped(text, MOST_LETTERS);
}

function isBlocked({ blockers }: MigrationStatus['inFlight'][number]): boolean {
  return blockers.some(({ firm }) => firm);
}

/** What a snapshot may not be late with; the rest may follow some seconds later. */
export function newsOf({ state, phase, gate, forces, paused, blocked, inFlight, problem }: MigrationStatus): string {
  const stuck = inFlight.length > FEW ? Math.min(blocked.length, 1) : blocked.length;
  return JSON.stringify([state, phase, gate?.digest, forces.map(({ digest }) => digest), paused?.at, stuck, problem]);
}
