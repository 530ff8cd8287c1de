import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const clusterIdAbsent: Hazard = {
  id: 'cluster-id-absent',
  title: 'No clusterId is given',
  check({ manifest }) {
    if (manifest.spec.cilium.clusterId !== undefined) return [];
    return [
      finding(this.id, 'info', {
        objects: ['spec.cilium.clusterId'],
        message: 'Without one this cluster cannot join a Cluster Mesh, and setting it later restarts every workload; that is why it is asked for now.',
        todo: 'Set spec.cilium.clusterId (1 to 127, unique in your mesh) if you may ever want a mesh.',
      }),
    ];
  },
};
