import type { Hazard } from '../findings.js';
import { modeOf } from '../plan/mode.js';
import { finding } from './finding.js';

/** FAILED updates are over; only what still moves counts. */
export const eksUpdate: Hazard = {
  id: 'eks-update',
  title: 'EKS is updating the cluster, a node group or the add-on',
  check({ cluster, manifest }) {
    const objects: string[] = [];
    if (cluster.eks !== null) {
      if (cluster.eks.status !== 'ACTIVE') objects.push(`EKS cluster ${cluster.eks.name} (${cluster.eks.status})`);
      objects.push(...cluster.eks.updatesInProgress.map((update) => `Update ${update}`));
      for (const group of cluster.eks.nodegroups) {
        if (group.status === 'UPDATING' || group.status === 'CREATING' || group.status === 'DELETING') objects.push(`Node group ${group.name} (${group.status})`);
      }
    }
    const addon = cluster.awsNode?.addon?.status;
    // Later on it is most likely our own update, cut off: the step that made it waits for it.
    const foreign = modeOf(cluster, manifest.spec.strategy) === 'migrate';
    if (foreign && (addon === 'UPDATING' || addon === 'CREATING' || addon === 'DELETING')) objects.push(`Add-on vpc-cni (${addon})`);
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects,
        message: 'An update replaces nodes or rewrites aws-node by itself, and EKS refuses a second one meanwhile.',
        todo: 'Wait until it is over: aws eks list-updates --name CLUSTER; then plan again.',
      }),
    ];
  },
};

export const addonDegraded: Hazard = {
  id: 'addon-degraded',
  title: 'The add-on vpc-cni is not healthy',
  check({ cluster }) {
    const status = cluster.awsNode?.addon?.status;
    if (status === undefined || !['DEGRADED', 'CREATE_FAILED', 'UPDATE_FAILED', 'DELETE_FAILED'].includes(status)) return [];
    return [
      finding(this.id, 'warning', {
        objects: [`Add-on vpc-cni (${status})`],
        message: 'EKS itself says that the add-on is not well. It is updated once, to confine aws-node, and that update may fail for the same reason.',
        todo: 'aws eks describe-addon --cluster-name CLUSTER --addon-name vpc-cni shows the health issues; mend them first.',
      }),
    ];
  },
};
