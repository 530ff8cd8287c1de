import type { Hazard } from '../findings.js';
import { awsNodesRemain } from '../plan/mode.js';
import { finding } from './finding.js';

/** After success aws-node is gone on purpose: missing matters only while a node is not on Cilium. */
export const awsNodeMissing: Hazard = {
  id: 'aws-node-missing',
  title: 'DaemonSet kube-system/aws-node is not there',
  check({ cluster }) {
    if (cluster.awsNode !== null || !awsNodesRemain(cluster)) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ['DaemonSet kube-system/aws-node'],
        message: 'There is no aws-node to confine, yet some nodes are not on Cilium: this cluster does not run the VPC CNI, or lost it.',
        todo: 'Check that the spec names the right cluster (kubectl -n kube-system get daemonsets). Nodes that lost their CNI must be replaced first.',
      }),
    ];
  },
};
