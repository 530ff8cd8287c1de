import { CILIUM_LABEL, CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import type { ObservedCluster } from '../observation.js';
import type { Plan } from '../plan.js';
import type { Strategy } from '../spec/words.js';
import { inScope, standing } from './nodes.js';

/** From the cluster alone, never from history: what the labels, aws-node and Cilium say now. */
export function modeOf(cluster: ObservedCluster, strategy: Strategy): Plan['mode'] {
  const ours = cluster.cilium?.release?.ours === true;
  // Whether every pod is known to Cilium only a look at all of them can tell: a second run is that look.
  if (strategy === 'chain') return ours ? 'resume' : 'migrate';
  const nodes = inScope(cluster);
  const labelled = cluster.nodes.some((node) => node.labels[CNI_LABEL] === CNI_LABEL_AWS);
  const allOnCilium = nodes.length > 0 && nodes.every((node) => standing(node).as === 'cilium');
  // A rollback that ended early has confined Cilium to the nodes that it marked: new ones would have no CNI.
  const marked = cluster.nodes.some((node) => node.labels[CILIUM_LABEL] !== undefined);
  if (ours && cluster.awsNode === null && allOnCilium && !labelled && !marked) return 'done';
  return ours || labelled || cluster.awsNode?.restricted === true ? 'resume' : 'migrate';
}

/** Whether a node may still come up on aws-node: then what the VPC CNI does and needs still matters. */
export function awsNodesRemain(cluster: ObservedCluster): boolean {
  return inScope(cluster).some((node) => standing(node).as !== 'cilium');
}
