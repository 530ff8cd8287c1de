import type { Hazard } from '../findings.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const leftoverEnis: Hazard = {
  id: 'leftover-enis',
  title: 'Interfaces of the VPC CNI that nobody uses',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    if (cluster.leftoverEnis.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: cluster.leftoverEnis,
        message: "Left behind by aws-node (description aws-K8S-*), attached to nothing; each keeps its addresses. Only aws-node's own cleaner deletes them, and it goes at the end.",
        todo: 'aws ec2 delete-network-interface --network-interface-id ENI',
      }),
    ];
  },
};
