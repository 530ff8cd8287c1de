import type { Hazard } from '../findings.js';
import { nodePoolOf } from '../kubernetes/karpenter.js';
import type { ObservedCluster } from '../observation.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

/** NodePools whose nodes are still to be refreshed. */
function poolsToRefresh(cluster: ObservedCluster): string[] {
  return [...new Set(toRefresh(cluster).flatMap(({ group }) => nodePoolOf(group) ?? []))];
}

/** Karpenter pre-spins nodes for disruptions of its own only, not for a NodeClaim that somebody deletes. */
export const karpenterDip: Hazard = {
  id: 'karpenter-dip',
  title: 'Nodes of Karpenter are replaced with a dip in capacity',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const pools = poolsToRefresh(cluster);
    if (pools.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: pools.map((pool) => `NodePool ${pool}`),
        message:
          'Karpenter makes a new node only for pods that no node has room for: evicted pods are pending while it boots. Where the others have room, no new node comes at all. Its disruption budgets are held at 0 while nodes are changed.',
        todo: 'Nothing, if PodDisruptionBudgets guard what must stay up. To soften it, add room first: low-priority placeholder pods, or nodes of a group.',
      }),
    ];
  },
};

/** Nobody else takes the finalizer off a NodeClaim. */
export const karpenterUnseen: Hazard = {
  id: 'karpenter-unseen',
  title: 'Karpenter has nodes here, but does not seem to run',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const pools = poolsToRefresh(cluster);
    if (cluster.karpenter || pools.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: pools.map((pool) => `NodePool ${pool}`),
        message: 'No Deployment with replicas has an image named karpenter. Without it a deleted NodeClaim stays, and its instance with it.',
        todo: 'Scale Karpenter up. Where it runs elsewhere, or under another name, nothing.',
      }),
    ];
  },
};

/** Since v1 expiry is forceful: no budget holds it up. */
export const karpenterExpiry: Hazard = {
  id: 'karpenter-expiry',
  title: 'Nodes of Karpenter may expire during the migration',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const used = poolsToRefresh(cluster);
    const expiring = cluster.nodePools.filter(({ name, expireAfter }) => used.includes(name) && expireAfter !== 'Never');
    if (expiring.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: expiring.map(({ name, expireAfter }) => `NodePool ${name} (expireAfter ${expireAfter})`),
        message: 'A node that reaches its age is drained and ended by Karpenter itself, whatever the budgets say. Its replacement comes up on Cilium: the migration takes it as done.',
        todo: 'Nothing. Do not change expireAfter now: it is part of the template, and a change drifts every node.',
      }),
    ];
  },
};

/** Owned by Karpenter by their label, but without a NodeClaim of API v1 (an older Karpenter, or one that is gone). */
export const karpenterNodes: Hazard = {
  id: 'karpenter-nodes',
  title: 'Nodes of Karpenter that no NodeClaim owns',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const nodes = cluster.nodes.filter((node) => node.leftOut === 'karpenter');
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: nodes.map((node) => `Node ${node.name}`),
        message: 'Only a NodeClaim of karpenter.sh/v1 can be deleted so that Karpenter ends its node. These have none: each waits for `skip`, and the run ends as partial, with aws-node and enforcement "never" kept for them.',
        todo: 'Upgrade Karpenter to v1 first; or let it replace them once Cilium is installed, then start again to finish.',
      }),
    ];
  },
};
