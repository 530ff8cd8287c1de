import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const workerInside: Hazard = {
  id: 'worker-inside',
  title: 'The worker runs inside the cluster that it would migrate',
  check({ cluster }) {
    if (cluster.workerInside !== true) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ['ciliate worker'],
        message: 'It would drain the node under its own feet and change the network that it talks through; a lost worker could not be told from a lost cluster.',
        todo: 'Run the worker elsewhere: another cluster, an instance, or your own machine (deploy/ and docs/guide.md).',
      }),
    ];
  },
};

export const workerInsideUnknown: Hazard = {
  id: 'worker-inside-unknown',
  title: 'Whether the worker runs inside the cluster could not be told',
  check({ cluster }) {
    if (cluster.workerInside !== null) return [];
    return [
      finding(this.id, 'warning', {
        objects: ['ciliate worker'],
        message: 'The worker runs in a pod, and its own cluster could not be asked who it is.',
        todo: 'Make sure that it is not a pod of the cluster to be migrated.',
      }),
    ];
  },
};
