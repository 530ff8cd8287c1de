import type { NodeRef } from '../plan.js';

export interface Candidate {
  ref: NodeRef;
  /** A pod of cilium-operator runs there: it goes late, so that the operator moves seldom. */
  hostsOperator: boolean;
  created: number;
}

/**
 * The next node to refresh: from the zone with most nodes left, so that consecutive nodes come from different zones and
 * every zone keeps capacity; in it from the group with most left; there the oldest. A node with cilium-operator on it only
 * when no other is left. Pure and stable: the same candidates give the same node.
 */
export function nextOf(candidates: Candidate[]): NodeRef | null {
  const others = candidates.filter((candidate) => !candidate.hostsOperator);
  const pool = others.length > 0 ? others : candidates;
  const zone = fullest(candidates, pool, (candidate) => candidate.ref.zone);
  const inZone = pool.filter((candidate) => candidate.ref.zone === zone);
  const group = fullest(candidates, inZone, (candidate) => candidate.ref.group);
  const [first] = inZone
    .filter((candidate) => candidate.ref.group === group)
    .sort((a, b) => a.created - b.created || (a.ref.name < b.ref.name ? -1 : 1));
  return first?.ref ?? null;
}

/** Key with most candidates left among those that `pool` can serve; the first by name on a tie. */
function fullest(all: Candidate[], pool: Candidate[], key: (candidate: Candidate) => string): string | undefined {
  const count = (value: string): number => all.filter((candidate) => key(candidate) === value).length;
  return [...new Set(pool.map(key))].sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1))[0];
}
