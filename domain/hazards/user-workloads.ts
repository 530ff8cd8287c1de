import type { Hazard } from '../findings.js';
import { counted, finding, podNames } from './finding.js';

export const userWorkloads: Hazard = {
  id: 'user-workloads',
  title: 'A cluster with user workloads is not clean',
  strategies: ['clean'],
  check({ cluster, manifest }) {
    const { addOns } = manifest.spec.clean;
    const users = cluster.pods.user.filter(({ namespace }) => !addOns.includes(namespace));
    if (users.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: podNames(users),
        message: `${counted(users.length, 'pod')} outside the namespaces of add-ons. Strategy clean takes aws-node away first: until their nodes are replaced no new pod of theirs would start.`,
        todo: 'Use strategy: replace. If these are add-ons, name their namespaces in spec.clean.addOns.',
      }),
    ];
  },
};
