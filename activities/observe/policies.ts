import { DiscoveryV1Api, NetworkingV1Api } from '@kubernetes/client-node';
import type { V1MutatingWebhook, V1ValidatingWebhook } from '@kubernetes/client-node';
import type { ObservedCluster } from '../../domain/observation.js';
import type { ObservedNetworkPolicy } from '../../domain/policy/networkPolicies.js';
import { failsClosed, lastBackendOf } from '../../domain/kubernetes/lastBackend.js';
import type { Backend } from '../../domain/kubernetes/lastBackend.js';
import type { KubeClients } from '../clients/index.js';
import { backendsIn } from '../kubernetes/webhookBackends.js';
import { allPages } from '../clients/pages.js';
import { bounded, customNames, readable } from './lists.js';
import { observedNetworkPolicy } from './networkPolicy.js';
import type { SeenPod } from './pods.js';

type Policies = Pick<ObservedCluster, 'securityGroupPolicies' | 'eniConfigs'> & { policies: ObservedNetworkPolicy[] };

export async function observePolicies(kube: KubeClients): Promise<Policies> {
  const networking = kube.make(NetworkingV1Api);
  const [networkPolicies, securityGroupPolicies, eniConfigs] = await Promise.all([
    readable(allPages((page) => networking.listNetworkPolicyForAllNamespaces(page)), []),
    customNames((page) => kube.custom.listClusterCustomObject({ group: 'vpcresources.k8s.aws', version: 'v1beta1', plural: 'securitygrouppolicies', ...page })),
    customNames((page) => kube.custom.listClusterCustomObject({ group: 'crd.k8s.amazonaws.com', version: 'v1alpha1', plural: 'eniconfigs', ...page })),
  ]);
  return {
    policies: networkPolicies.map(observedNetworkPolicy),
    securityGroupPolicies,
    eniConfigs: eniConfigs.map(({ name }) => name),
  };
}

type Webhook = V1MutatingWebhook | V1ValidatingWebhook;

/** Webhooks that fail closed: while their last backend is away, writes that they are asked about fail, and a drain does not evict it. */
export async function observeWebhooks(kube: KubeClients, pods: readonly SeenPod[]): Promise<ObservedCluster['failClosedWebhooks']> {
  const [mutating, validating] = await Promise.all([
    readable(allPages((page) => kube.admission.listMutatingWebhookConfiguration(page)), []),
    readable(allPages((page) => kube.admission.listValidatingWebhookConfiguration(page)), []),
  ]);
  const webhooks: Webhook[] = [...mutating, ...validating].flatMap(({ webhooks: some }): Webhook[] => some ?? []);
  const podOf = new Map(pods.map((pod) => [pod.uid, pod]));
  return bounded(webhooks.filter(failsClosed), 4, async (webhook) => {
    const { name, clientConfig } = webhook;
    const { service } = clientConfig;
    const guardsPods = isAskedOfNewPods(webhook);
    // By URL: outside of the cluster, nothing here moves it.
    if (service === undefined) return { name, guardsPods, readyEndpoints: null };
    const backends = await backendsOf(kube, service);
    const last = podOf.get(lastBackendOf(backends ?? []) ?? '');
    return {
      name,
      service: `${service.namespace}/${service.name}`,
      guardsPods,
      readyEndpoints: backends === null ? null : readyIn(backends),
      ...(last === undefined ? {} : { last: lastBackend(last) }),
    };
  });
}

function isAskedOfNewPods(webhook: Webhook): boolean {
  return (webhook.rules ?? []).some(
    ({ resources = [], operations = [] }) =>
      resources.some((resource) => ['pods', '*', '*/*', 'pods/*'].includes(resource)) && operations.some((operation) => operation === 'CREATE' || operation === '*'),
  );
}

/** Null where they may not be read. */
async function backendsOf(kube: KubeClients, service: { namespace: string; name: string }): Promise<Backend[] | null> {
  const slices = await readable(
    allPages((page) => kube.make(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace: service.namespace, labelSelector: `kubernetes.io/service-name=${service.name}`, ...page })),
    null,
  );
  return slices === null ? null : backendsIn(slices);
}

/** Pods, not addresses: a Service of two families has two of each. */
function readyIn(backends: readonly Backend[]): number {
  const ready = backends.filter((backend) => backend.ready !== false);
  return new Set(ready.flatMap(({ podUid }) => podUid ?? [])).size + ready.filter(({ podUid }) => podUid === undefined).length;
}

function lastBackend({ namespace, name, node, controller, mirror, deployment }: SeenPod): NonNullable<ObservedCluster['failClosedWebhooks'][number]['last']> {
  return { namespace, name, ...(node === undefined ? {} : { node }), stays: controller === 'DaemonSet' || mirror, ...(deployment === undefined ? {} : { deployment }) };
}
