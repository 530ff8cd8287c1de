import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const helmMissing: Hazard = {
  id: 'helm-missing',
  title: 'helm is not there',
  check({ cluster }) {
    if (cluster.helm !== null) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ['helm'],
        message: 'The worker installs Cilium with the helm command and found none that answers.',
        todo: 'Install helm 3.14 or later on the machine of the worker and put it on its PATH.',
      }),
    ];
  },
};
