import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const ipv6: Hazard = {
  id: 'ipv6',
  title: 'IPv6 cluster',
  check({ cluster, manifest }) {
    const why: string[] = [];
    if (cluster.eks?.ipFamily === 'ipv6') why.push(`EKS cluster ${cluster.eks.name} (ipFamily ipv6)`);
    if (cluster.awsNode?.env['ENABLE_IPv6']?.toLowerCase() === 'true') why.push('DaemonSet kube-system/aws-node (ENABLE_IPv6=true)');
    if (why.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: why,
        message:
          manifest.spec.strategy === 'chain'
            ? 'Chaining is installed for IPv4 here (ipv6.enabled stays off): Cilium would know pods without their addresses.'
            : "Cilium's ENI mode hands out IPv4 addresses only up to 1.20; pods on new nodes would have no address of the cluster's family.",
        todo: 'There is no way for this cluster yet: move its workloads to an IPv4 cluster, or keep the VPC CNI.',
      }),
    ];
  },
};
