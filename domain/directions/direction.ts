import type { NodeCounts } from '../status.js';

/** Where a run moves the nodes to. */
export type Toward = 'cilium' | 'aws-node';

/**
 * All that the engine has to know of the way it goes: which nodes are still to be replaced, what runs on them, and what new ones come
 * up on. It reads it here and nowhere else.
 */
export interface Direction {
  toward: Toward;
  /** Label of the nodes that are still to be replaced. */
  label: { key: string; value: string };
  /** DaemonSet of the agent that new nodes come up on. */
  agent: string;
  /** Old nodes run that agent too: Cilium is chained on it. Elsewhere a pod of it on an old node is a mistake that nobody touches. */
  sharedByOld: boolean;
  /** Where in the counts old and new nodes stand. */
  count: { old: 'aws' | 'cilium'; fresh: 'aws' | 'cilium' };
  /** For people: what is true of a replacement that was proven. */
  proven: string;
  /** Whether cilium-operator is needed as long as there is any node: new ones get their addresses from it. */
  needsOperator: boolean;
}

/** What tells the direction of a run. */
export interface Way {
  /** Absent: to Cilium. */
  toward?: Toward | undefined;
  /** Of a way back: Cilium is chained on aws-node, so the nodes that it leaves run both. */
  chained?: boolean | undefined;
}

/** Whether a node is still to be replaced, by its labels. */
export function isOld(direction: Direction, labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[direction.label.key] === direction.label.value;
}

/** The old nodes, as the API server selects them. */
export function oldSelector({ label }: Direction): string {
  return `${label.key}=${label.value}`;
}

/** The counts when an old node is gone, until the cluster is counted again. */
export function countsAfter({ count }: Direction, counts: NodeCounts, replaced: boolean): NodeCounts {
  return { ...counts, [count.old]: Math.max(0, counts[count.old] - 1), [count.fresh]: counts[count.fresh] + (replaced ? 1 : 0) };
}
