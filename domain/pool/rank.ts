/** The operator's order of nodes. */
export interface NodeOrder {
  /** Key of a label whose whole number says when: lower first; nodes without it come after those with it. */
  label?: string;
  /** Names of nodes that go first, in this order. */
  first?: readonly string[];
  /** Names of nodes that go last, in this order. */
  last?: readonly string[];
}

const UNNUMBERED = 1_000_000_000;
const LAST = 2_000_000_000;

/** Rank of a node, lower first: listed first, then by label, then the rest, then those listed last. */
export function rankOf(node: { name: string; labels: Readonly<Record<string, string>> }, order: NodeOrder): number {
  const last = order.last?.indexOf(node.name) ?? -1;
  if (last >= 0) return LAST + last;
  const first = order.first?.indexOf(node.name) ?? -1;
  if (first >= 0) return first - (order.first?.length ?? 0) - UNNUMBERED;
  if (order.label === undefined) return 0;
  const text = node.labels[order.label];
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : UNNUMBERED;
}
