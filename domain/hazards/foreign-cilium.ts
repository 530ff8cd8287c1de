import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const foreignCilium: Hazard = {
  id: 'foreign-cilium',
  title: 'Cilium is there and was not installed by ciliate',
  check({ cluster }) {
    const { cilium } = cluster;
    if (cilium === null || cilium.release?.ours === true) return [];
    const how =
      cilium.release === null ? 'without a Helm release' : `as Helm release cilium, chart ${cilium.release.chartVersion}, which is not ours`;
    return [
      finding(this.id, 'blocker', {
        objects: ['DaemonSet kube-system/cilium'],
        message: `Cilium is installed already, ${how}: taking it over could change the datapath of running pods (chaining, another IPAM).`,
        todo: 'Uninstall it if nothing uses it (helm -n kube-system uninstall cilium), or leave this cluster to whoever installed it.',
      }),
    ];
  },
};
