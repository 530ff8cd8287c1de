import { CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import type { ObservedCluster, ObservedNode } from '../observation.js';
import type { NodeRef } from '../plan.js';

/** Where a node stands in the migration. `pending`: no agent yet, so its CNI is decided by where aws-node may go. */
export type NodeStanding =
  | { as: 'refresh'; ref: NodeRef }
  | { as: 'unplaced'; missing: ('instance' | 'group' | 'zone')[] }
  | { as: 'cilium' }
  | { as: 'pending' }
  | { as: 'both' }
  | { as: 'left-out'; why: string };

const LEFT_OUT: Record<NonNullable<ObservedNode['leftOut']>, string> = {
  fargate: 'Fargate: no node of yours, keeps its own networking',
  windows: 'Windows: Cilium does not run there, keeps the VPC CNI of Windows',
  hybrid: 'hybrid node: has no ENI, keeps its own networking',
  'auto-mode': 'EKS Auto Mode: keeps its own networking',
  karpenter: 'owned by Karpenter, which replaces its nodes itself',
};

/** What becomes of one node, from what runs on it and not from where a script once was. */
export function standing(node: ObservedNode): NodeStanding {
  if (node.leftOut !== undefined) return { as: 'left-out', why: LEFT_OUT[node.leftOut] };
  if (node.cni === 'both') return { as: 'both' };
  const labelled = node.labels[CNI_LABEL] === CNI_LABEL_AWS;
  if (node.cni === 'cilium') return labelled ? { as: 'both' } : { as: 'cilium' };
  if (node.cni === 'none' && !labelled) return { as: 'pending' };
  const { instanceId, group, zone } = node;
  if (instanceId === undefined || group === undefined || zone === undefined) {
    const missing: ('instance' | 'group' | 'zone')[] = [];
    if (instanceId === undefined) missing.push('instance');
    if (group === undefined) missing.push('group');
    if (zone === undefined) missing.push('zone');
    return { as: 'unplaced', missing };
  }
  return { as: 'refresh', ref: { name: node.name, uid: node.uid, instanceId, group, zone } };
}

/** Nodes that this migration is about: Linux nodes on instances of one's own. */
export function inScope(cluster: ObservedCluster): ObservedNode[] {
  return cluster.nodes.filter((node) => node.leftOut === undefined);
}

/** Nodes that still have to be replaced. */
export function toRefresh(cluster: ObservedCluster): NodeRef[] {
  return cluster.nodes.flatMap((node) => {
    const found = standing(node);
    return found.as === 'refresh' ? [found.ref] : [];
  });
}

/**
 * The order of refresh: the zone with most nodes left first, in it the group with most nodes left, in it by name and instance.
 * So zones and groups shrink evenly, whatever order the API listed the nodes in.
 */
export function orderNodes(nodes: readonly NodeRef[]): NodeRef[] {
  const left = [...nodes].sort((a, b) => compareText(a.name, b.name) || compareText(a.instanceId, b.instanceId));
  const ordered: NodeRef[] = [];
  let last: NodeRef | undefined;
  while (left.length > 0) {
    const zone = fullest(left, (node) => node.zone, last?.zone);
    const group = fullest(left.filter((node) => node.zone === zone), (node) => node.group, last?.group);
    const index = left.findIndex((node) => node.zone === zone && node.group === group);
    last = left[index];
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
}

/** The key that most of the nodes share; among equals another than the last one, then the first by name. */
function fullest(nodes: readonly NodeRef[], key: (node: NodeRef) => string, last: string | undefined): string {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(key(node), (counts.get(key(node)) ?? 0) + 1);
  const [first] = [...counts].sort(
    ([a, countA], [b, countB]) => countB - countA || Number(a === last) - Number(b === last) || compareText(a, b),
  );
  return first?.[0] ?? '';
}

/** By code unit: the same on every machine, unlike localeCompare. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
