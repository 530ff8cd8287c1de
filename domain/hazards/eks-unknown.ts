import type { Hazard } from '../findings.js';
import { awsNodesRemain } from '../plan/mode.js';
import { finding } from './finding.js';

/** Whether aws-node is an EKS add-on is known only to EKS: patched as if it were the user's own, an add-on would be put back. */
export const eksUnknown: Hazard = {
  id: 'eks-unknown',
  title: 'Which EKS cluster this is could not be told',
  check({ cluster }) {
    if (cluster.eks !== null || cluster.awsNode === null || !awsNodesRemain(cluster)) return [];
    const owned = cluster.awsNode.fieldManagers.includes('eks');
    return [
      finding(this.id, owned ? 'blocker' : 'warning', {
        objects: [cluster.kubernetes.endpoint],
        message: owned
          ? 'EKS writes fields of aws-node here, yet no EKS cluster with this endpoint or certificate authority was found: if aws-node is an add-on, EKS would undo the affinity and aws-node would start on every Cilium node.'
          : 'No EKS cluster with this endpoint or certificate authority was found, so aws-node is taken for self-managed; updates in progress, node groups and IPv6 could not be looked at.',
        todo: 'Name the cluster in the spec (spec.cluster.eks), or correct region and credentials and allow eks:ListClusters and eks:DescribeCluster.',
      }),
    ];
  },
};
