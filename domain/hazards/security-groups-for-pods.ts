import type { Hazard } from '../findings.js';
import { awsNodesRemain } from '../plan/mode.js';
import { finding, podNames } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const securityGroupsForPods: Hazard = {
  id: 'security-groups-for-pods',
  title: 'Security groups for pods are in use',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const objects = [
      ...cluster.securityGroupPolicies.map(({ namespace, name }) => `SecurityGroupPolicy ${namespace}/${name}`),
      ...podNames(cluster.pods.podEni),
    ];
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects,
        message: 'Cilium has no branch interfaces in ENI mode: pods would come up with the security groups of the node, or stay Pending for vpc.amazonaws.com/pod-eni.',
        todo: 'Replace them by security groups of the nodes (values: eni.nodeSpec.securityGroups) or by network policies, delete the SecurityGroupPolicies, restart the pods.',
      }),
    ];
  },
};

export const podEniEnabled: Hazard = {
  id: 'pod-eni-enabled',
  title: 'Security groups for pods are switched on but not used',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const on = cluster.awsNode?.env['ENABLE_POD_ENI']?.toLowerCase() === 'true';
    const used = cluster.securityGroupPolicies.length > 0 || cluster.pods.podEni.length > 0;
    if (!on || used || !awsNodesRemain(cluster)) return [];
    return [
      finding(this.id, 'info', {
        objects: ['DaemonSet kube-system/aws-node (ENABLE_POD_ENI=true)'],
        message: 'No pod uses it. A trunk interface on each old node goes away with the node.',
        todo: 'Nothing; see that no SecurityGroupPolicy is added before the migration is over.',
      }),
    ];
  },
};
