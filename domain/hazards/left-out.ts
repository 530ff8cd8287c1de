import type { Hazard } from '../findings.js';
import { keepsOwnNetwork } from '../kubernetes/leftOut.js';
import { finding } from './finding.js';

export const leftOut: Hazard = {
  id: 'left-out',
  title: 'Nodes that keep their own networking',
  check({ cluster }) {
    const nodes = cluster.nodes.filter(keepsOwnNetwork);
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: nodes.map((node) => `Node ${node.name} (${node.leftOut ?? ''})`),
        message: 'Fargate, Windows, hybrid and Auto Mode nodes are neither labelled nor refreshed, and get no Cilium.',
        todo: 'Nothing. Network policies of Cilium do not apply to pods there.',
      }),
    ];
  },
};

export const autoMode: Hazard = {
  id: 'auto-mode',
  title: 'EKS Auto Mode is on',
  check({ cluster }) {
    if (cluster.eks?.autoMode !== true) return [];
    return [
      finding(this.id, 'warning', {
        objects: [`EKS cluster ${cluster.eks.name}`],
        message: 'Nodes of Auto Mode bring their own networking and cannot run Cilium. Pods that land there are outside of it.',
        todo: 'Keep workloads that need Cilium off them (nodeSelector eks.amazonaws.com/compute-type), or switch Auto Mode off.',
      }),
    ];
  },
};
