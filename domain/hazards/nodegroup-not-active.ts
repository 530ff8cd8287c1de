import type { Hazard } from '../findings.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

const MOVING = ['CREATING', 'UPDATING', 'DELETING'];

/** What moves is eks-update's; this is what has failed. EKS gives a group's labels and taints to no new node then. */
export const nodegroupNotActive: Hazard = {
  id: 'nodegroup-not-active',
  title: 'A managed node group is not healthy',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const used = new Set(toRefresh(cluster).map((node) => node.group));
    const ill = (cluster.eks?.nodegroups ?? []).filter(
      ({ status, autoScalingGroups }) => status !== 'ACTIVE' && !MOVING.includes(status) && autoScalingGroups.some((group) => used.has(group)),
    );
    if (ill.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ill.map((group) => `Node group ${group.name} (${group.status})`),
        message: 'EKS itself says that the group is not well: a terminated node may not be replaced.',
        todo: 'aws eks describe-nodegroup --cluster-name CLUSTER --nodegroup-name NAME shows its health issues; mend them first.',
      }),
    ];
  },
};
