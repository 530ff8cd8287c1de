import type { Hazard } from '../findings.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const foreignLabel: Hazard = {
  id: 'foreign-label',
  title: 'A node carries the label cni-plugin with another value',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const foreign = cluster.nodes.filter((node) => ![undefined, CNI_LABEL_AWS].includes(node.labels[CNI_LABEL]));
    if (foreign.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: foreign.map((node) => `Node ${node.name} (${CNI_LABEL}=${node.labels[CNI_LABEL] ?? ''})`),
        message: `The label decides which CNI a node gets. Somebody else uses it here: with any value but "${CNI_LABEL_AWS}" a live node would lose aws-node and get Cilium under running pods.`,
        todo: `Find out who sets it, then remove it: kubectl label node NODE ${CNI_LABEL}-`,
      }),
    ];
  },
};
