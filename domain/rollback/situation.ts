import { isChanged } from '../cilium/placement.js';
import { CILIUM_LABEL, CNI_LABEL } from '../names.js';
import type { ObservedCluster, ObservedNode } from '../observation.js';
import type { ObservedRollback } from './observed.js';

/**
 * Where a rollback begins, from the cluster alone: `nothing` to undo; `untouched`: no node runs Cilium or has run it, so no pod has to
 * move; `half-way`: nodes of both may be there; `removed`: aws-node is gone.
 */
export type Situation = 'nothing' | 'untouched' | 'half-way' | 'removed';

export function situationOf({ cluster, ledger, chained }: Pick<ObservedRollback, 'cluster' | 'ledger' | 'chained'>): Situation {
  if (cluster.awsNode === null) return 'removed';
  if (cluster.nodes.some((node) => isOfCilium(node, chained))) return 'half-way';
  const labelled = cluster.nodes.some(({ labels }) => labels[CNI_LABEL] !== undefined || labels[CILIUM_LABEL] !== undefined);
  return cluster.cilium !== null || ledger !== null || labelled || isChanged(cluster.awsNode.affinity) ? 'untouched' : 'nothing';
}

/**
 * Whether a node runs Cilium, or has run it. Chained, one that has lost its agent still runs aws-node, but calls Cilium for every pod: its
 * configuration stays behind (cilium-on-eks.md 7).
 */
export function isOfCilium({ cni, hasCiliumNode, labels }: Pick<ObservedNode, 'cni' | 'hasCiliumNode' | 'labels'>, chained: boolean): boolean {
  if (cni === 'cilium' || cni === 'both') return true;
  return (cni === 'none' || chained) && (hasCiliumNode || labels[CILIUM_LABEL] !== undefined);
}

/**
 * The cluster with the two agents' nodes exchanged: to the planner and to the hazards of draining and replacing, nodes that are to leave
 * Cilium are then what nodes that are to leave aws-node are to a migration. So are those that run both where that is what a chain is;
 * elsewhere they stay what they are, a mistake.
 */
export function mirrored({ cluster, chained }: Pick<ObservedRollback, 'cluster' | 'chained'>): ObservedCluster {
  return { ...cluster, nodes: cluster.nodes.map((node) => mirroredNode(node, chained)) };
}

function mirroredNode(node: ObservedNode, chained: boolean): ObservedNode {
  const { [CNI_LABEL]: _label, ...labels } = node.labels;
  if (node.cni === 'both' && !chained) return node;
  if (isOfCilium(node, chained)) return { ...node, cni: 'aws', hasCiliumNode: false, labels };
  return node.cni === 'aws' ? { ...node, cni: 'cilium', labels } : { ...node, labels };
}
