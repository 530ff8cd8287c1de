import { DiscoveryV1Api } from '@kubernetes/client-node';
import type { V1EndpointSlice, V1MutatingWebhook, V1Pod, V1ValidatingWebhook } from '@kubernetes/client-node';
import { failsClosed, isLastBackend } from '../../domain/kubernetes/lastBackend.js';
import type { Backend } from '../../domain/kubernetes/lastBackend.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Clients } from '../clients/index.js';

interface WebhookService {
  webhook: string;
  namespace: string;
  name: string;
}

/** Services behind webhooks that fail closed; read once a look, since nobody changes them in the middle of a drain. */
export class WebhookServices {
  #services: Promise<WebhookService[]> | undefined;

  constructor(private readonly clients: Clients) {}

  /** Those whose backends may be pods of this namespace. */
  async of(namespace: string): Promise<WebhookService[]> {
    this.#services ??= failClosed(this.clients).catch((error: unknown) => {
      this.#services = undefined;
      throw error;
    });
    return (await this.#services).filter((service) => service.namespace === namespace);
  }
}

async function failClosed({ kube: { admission } }: Clients): Promise<WebhookService[]> {
  const [mutating, validating] = await Promise.all([admission.listMutatingWebhookConfiguration(), admission.listValidatingWebhookConfiguration()]);
  const webhooks = [...mutating.items, ...validating.items].flatMap((config): (V1MutatingWebhook | V1ValidatingWebhook)[] => config.webhooks ?? []);
  return webhooks.filter(failsClosed).flatMap(({ name, clientConfig: { service } }) => (service === undefined ? [] : [{ webhook: name, namespace: service.namespace, name: service.name }]));
}

/**
 * While its last backend is away, nothing that a fail-closed webhook asks about can be written: the pod's own successor, and the
 * agents of new nodes, may be among it. `going`: pods that are leaving already.
 */
export async function lastBackendBlocker(clients: Clients, pod: V1Pod, of: { services: WebhookServices; going: ReadonlySet<string> }): Promise<Blocker | undefined> {
  for (const { webhook, namespace, name } of await of.services.of(pod.metadata?.namespace ?? '')) {
    if (!isLastBackend(await backends(clients, namespace, name), pod.metadata?.uid ?? '', of.going)) continue;
    return {
      object: `Pod ${fullName(pod.metadata)}`,
      reason: `it is the last ready backend of Service ${namespace}/${name}, which webhook ${webhook} needs: it fails closed`,
      todo: `Free once another backend is ready elsewhere: scale its owner up, or set drain.surgeSingletons`,
    };
  }
  return undefined;
}

/** What EndpointSlices of one Service say of its backends. */
export function backendsIn(slices: readonly V1EndpointSlice[]): Backend[] {
  return slices.flatMap(({ endpoints }) => (endpoints ?? []).map(({ conditions, targetRef }) => ({ ready: conditions?.ready, podUid: targetRef?.uid })));
}

async function backends({ kube }: Clients, namespace: string, name: string): Promise<Backend[]> {
  const { items } = await kube.make(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace, labelSelector: `kubernetes.io/service-name=${name}` });
  return backendsIn(items);
}
