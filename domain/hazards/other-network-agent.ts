import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const otherNetworkAgent: Hazard = {
  id: 'other-network-agent',
  title: 'Another network agent runs beside the VPC CNI',
  check({ cluster }) {
    if (cluster.otherNetworkAgents.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: cluster.otherNetworkAgents.map((name) => `DaemonSet ${name}`),
        message: 'It would run on the new nodes together with Cilium, and both would program routes and policies of the same pods.',
        todo: "Confine it to nodes with cni-plugin=aws (its nodeAffinity), or remove it and its policies first. Cilium's guide calls this combination untested.",
      }),
    ];
  },
};
