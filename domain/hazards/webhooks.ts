import type { Hazard, HazardInput } from '../findings.js';
import { surgeable } from '../kubernetes/singleton.js';
import type { FailClosedWebhook } from '../observation.js';
import { onNodesThatGo, toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

/** By the rule that a drain goes by (domain/kubernetes/lastBackend.ts). */
export const webhookSingle: Hazard = {
  id: 'webhook-single-backend',
  title: 'A drain waits at the last ready backend of a webhook that fails closed',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const held = withLastBackend({ cluster, manifest }).filter(({ last }) => !last.stays && !isSurged({ cluster, manifest }, last));
    if (held.length === 0) return [];
    const { surgeSingletons } = manifest.spec.drain;
    return [
      finding(this.id, 'warning', {
        objects: held.map(({ name, service, last }) => `Webhook ${name} (Service ${service ?? '?'}: Pod ${last.namespace}/${last.name}${last.node === undefined ? '' : ` on ${last.node}`} is its last ready backend)`),
        message:
          'While it is away, what the webhook is asked about cannot be written. So it is not evicted before another backend is ready elsewhere: its drain waits, until spec.drain.timeLimitSeconds and what onTimeout says (skip-to-end: the node is handed back, and the run ends partial).',
        todo: surgeSingletons
          ? 'Scale its owner up, with a PodDisruptionBudget, now or while the drain waits: drain.surgeSingletons does not reach these.'
          : 'Scale its owner up, with a PodDisruptionBudget, now or while the drain waits; or set spec.drain.surgeSingletons: true for Deployments of one replica.',
      }),
    ];
  },
};

export const webhookDown: Hazard = {
  id: 'webhook-no-backend',
  title: 'An admission webhook on pods fails closed, and nothing will answer it',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const down = cluster.failClosedWebhooks.filter(({ guardsPods, readyEndpoints }) => guardsPods && readyEndpoints === 0);
    const ending = withLastBackend({ cluster, manifest }).filter(({ guardsPods, last }) => guardsPods && last.stays);
    if (down.length + ending.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: [
          ...down.map(({ name, service }) => `Webhook ${name} (Service ${service ?? '?'}: none ready)`),
          ...ending.map(({ name, service, last }) => `Webhook ${name} (Service ${service ?? '?'}: its last, Pod ${last.namespace}/${last.name}, ends with its node)`),
        ],
        message: 'While nothing answers it no pod can be created anywhere: evicted workloads, and the agents of new nodes, wait for it.',
        todo: 'Bring its backends up on more than one node, or exclude kube-system from the webhook.',
      }),
    ];
  },
};

type WithLast = FailClosedWebhook & { last: NonNullable<FailClosedWebhook['last']> };

/** Those whose last backend is on a node that is drained. */
function withLastBackend({ cluster }: HazardInput): WithLast[] {
  const webhooks = cluster.failClosedWebhooks.filter((webhook): webhook is WithLast => webhook.last !== undefined);
  const going = new Set(onNodesThatGo(cluster, webhooks.map(({ last }) => last)));
  return webhooks.filter(({ last }) => going.has(last));
}

/** drain.surgeSingletons makes a second one ready first. */
function isSurged({ cluster, manifest }: HazardInput, { namespace, deployment }: WithLast['last']): boolean {
  if (!manifest.spec.drain.surgeSingletons || deployment === undefined) return false;
  return cluster.singletons.some((each) => each.namespace === namespace && each.name === deployment && surgeable(each));
}
