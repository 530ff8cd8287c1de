import type { Hazard } from '../findings.js';
import { standing } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const nodeUnplaced: Hazard = {
  id: 'node-unplaced',
  title: 'A node has no instance or no Auto Scaling group',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const unplaced = cluster.nodes.flatMap((node) => {
      const found = standing(node);
      return found.as === 'unplaced' ? [`Node ${node.name} (no ${found.missing.join(', no ')})`] : [];
    });
    if (unplaced.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: unplaced,
        message: 'Nodes are replaced by their Auto Scaling group, or by Karpenter; nothing would replace these, so they would stay on aws-node for ever.',
        todo: 'Check that region and account of the spec are those of the cluster. A node outside any group must be moved into one, or removed by hand.',
      }),
    ];
  },
};
