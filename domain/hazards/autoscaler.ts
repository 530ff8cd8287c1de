import type { Hazard } from '../findings.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const clusterAutoscaler: Hazard = {
  id: 'cluster-autoscaler',
  title: 'cluster-autoscaler is there',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    if (!cluster.clusterAutoscaler) return [];
    return [
      finding(this.id, 'info', {
        objects: ['cluster-autoscaler'],
        message: 'Its scale-down is held off by annotation while nodes are being changed, and given back at every gate, pause and soak. Scale-up stays on.',
        todo: 'Nothing.',
      }),
    ];
  },
};
