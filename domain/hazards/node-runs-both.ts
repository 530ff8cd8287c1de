import type { Hazard } from '../findings.js';
import { CNI_LABEL } from '../names.js';
import { standing } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const nodeRunsBoth: Hazard = {
  id: 'node-runs-both',
  title: 'A node runs both agents, or Cilium under the label of aws-node',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const both = cluster.nodes.filter((node) => standing(node).as === 'both');
    if (both.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: both.map((node) => `Node ${node.name}${node.labels[CNI_LABEL] === undefined ? '' : ` (${CNI_LABEL}=${node.labels[CNI_LABEL]})`}`),
        message: 'Two CNIs program one node, or are about to: pods there have the datapath of one and the addresses of the other.',
        todo: 'Replace the node by hand: cordon, drain, remove the label, terminate its instance in the group. Never convert it in place.',
      }),
    ];
  },
};
