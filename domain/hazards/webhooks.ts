import type { Hazard } from '../findings.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const webhookSingle: Hazard = {
  id: 'webhook-single-backend',
  title: 'An admission webhook fails closed on one endpoint or none',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    if (toRefresh(cluster).length === 0) return [];
    const weak = cluster.failClosedWebhooks.filter((webhook) => webhook.readyEndpoints !== null && webhook.readyEndpoints < 2);
    if (weak.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: weak.map((webhook) => `Webhook ${webhook.name} (Service ${webhook.service ?? '?'}: ${webhook.readyEndpoints ?? 0} ready)`),
        message: 'While its only pod moves, no pod can be created anywhere: evicted workloads, and the agents of new nodes, wait for it.',
        todo: 'Run two replicas with a PodDisruptionBudget, or exclude kube-system from the webhook.',
      }),
    ];
  },
};
