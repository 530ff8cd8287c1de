import type { MigrationStatus } from './status.js';

/** What a list keeps in a snapshot. It is a memo, and memos come along with every list of workflows: a page of them has to fit into one answer. */
const MOST = 10;

/** With more nodes in flight than this some are always blocked for a moment: only whether there are any is news at once. */
const FEW = 10;

/**
 * How a run stands, short enough to be left with Temporal: names of ten nodes and ten lines a list, no findings; what was left out is
 * counted, in `nodes.counts` or in a last line.
 *
 * @param asOf ISO 8601
 */
export function snapshotOf(status: MigrationStatus, asOf: string): MigrationStatus {
  const { gate, nodes } = status;
  return {
    ...status,
    asOf,
    gate: gate && { ...gate, shows: first(gate.shows) },
    forces: status.forces.slice(0, MOST),
    nodes: { ...nodes, skipped: nodes.skipped.slice(0, MOST), failed: nodes.failed.slice(0, MOST), postponed: nodes.postponed.slice(0, MOST) },
    // Who looks in trouble looks for these.
    inFlight: [...status.inFlight].sort((a, b) => Number(isBlocked(b)) - Number(isBlocked(a))).slice(0, MOST).map((node) => ({ ...node, blockers: node.blockers.slice(0, 2) })),
    awaits: status.awaits.slice(0, MOST),
    blocked: first(status.blocked),
    findings: [],
    audit: status.audit.slice(-MOST),
  };
}

function isBlocked({ blockers }: MigrationStatus['inFlight'][number]): boolean {
  return blockers.some(({ firm }) => firm);
}

function first(lines: string[]): string[] {
  const more = lines.length - MOST;
  return more > 0 ? [...lines.slice(0, MOST), `… and ${more} more`] : lines;
}

/** What a snapshot may not be late with; the rest may follow some seconds later. */
export function newsOf({ state, phase, gate, forces, paused, blocked, inFlight, problem }: MigrationStatus): string {
  const stuck = inFlight.length > FEW ? Math.min(blocked.length, 1) : blocked.length;
  return JSON.stringify([state, phase, gate?.digest, forces.map(({ digest }) => digest), paused?.at, stuck, problem]);
}
