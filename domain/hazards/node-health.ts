import type { Hazard } from '../findings.js';
import { inScope, standing, toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';

export const noNodes: Hazard = {
  id: 'no-nodes',
  title: 'No node that could be migrated',
  check({ cluster }) {
    if (inScope(cluster).length > 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: [],
        message: 'The cluster has no Linux node on an instance of its own: there is nothing to migrate, and nowhere for Cilium to run.',
        todo: 'Check that the spec names the right cluster. An empty cluster needs no migration: delete aws-node and install Cilium.',
      }),
    ];
  },
};

export const nodeNotReady: Hazard = {
  id: 'node-not-ready',
  title: 'A node is not Ready',
  check({ cluster }) {
    const nodes = inScope(cluster).filter((node) => !node.ready);
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: nodes.map((node) => `Node ${node.name}`),
        message: 'No other node of its group is drained while it is not Ready: the migration will wait there.',
        todo: 'kubectl describe node NODE; mend or replace it first.',
      }),
    ];
  },
};

export const nodePending: Hazard = {
  id: 'node-without-agent',
  title: 'A node runs neither agent yet',
  check({ cluster }) {
    const nodes = cluster.nodes.filter((node) => standing(node).as === 'pending');
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: nodes.map((node) => `Node ${node.name}`),
        message: 'Neither aws-node nor Cilium runs there. It is booting, or something keeps the agent away; labelling waits until it is clear which CNI it has.',
        todo: 'kubectl -n kube-system get pods --field-selector spec.nodeName=NODE shows what keeps the agent from starting.',
      }),
    ];
  },
};

export const nodeCordoned: Hazard = {
  id: 'node-cordoned',
  title: 'A node is cordoned by somebody else',
  check({ cluster }) {
    const going = new Set(toRefresh(cluster).map((node) => node.uid));
    const nodes = cluster.nodes.filter((node) => node.unschedulable && going.has(node.uid));
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: nodes.map((node) => `Node ${node.name}`),
        message: 'It takes no pods of drained nodes meanwhile. It is refreshed like the others; its cordon is not ours and stays if the node is handed back.',
        todo: 'Uncordon it if it was forgotten: kubectl uncordon NODE',
      }),
    ];
  },
};

/** A seam that leaves others a node short for ever: here the next refresh, or the cloud controller, removes the Node. */
export const instanceGone: Hazard = {
  id: 'instance-gone',
  title: 'A Node whose instance is gone',
  check({ cluster }) {
    const nodes = cluster.nodes.filter((node) => standing(node).as === 'gone');
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: nodes.map((node) => `Node ${node.name} (${node.instanceId ?? ''} ${node.instanceState ?? ''})`),
        message: 'Its instance is terminated or on its way; only the Node object is left. It counts for nothing, and one that is labelled is removed by the migration a minute after the termination.',
        todo: 'Nothing, or look why the cloud controller does not remove it.',
      }),
    ];
  },
};
