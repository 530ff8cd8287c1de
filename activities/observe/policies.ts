import { DiscoveryV1Api, NetworkingV1Api } from '@kubernetes/client-node';
import type { V1MutatingWebhook, V1ValidatingWebhook } from '@kubernetes/client-node';
import type { ObservedCluster } from '../../domain/observation.js';
import type { ObservedNetworkPolicy } from '../../domain/policy/networkPolicies.js';
import type { KubeClients } from '../clients/index.js';
import { allPages, bounded, customNames, readable } from './lists.js';
import { observedNetworkPolicy } from './networkPolicy.js';

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

/** Webhooks that can keep pods from being created: they match pods, and fail closed. */
export async function observeWebhooks(kube: KubeClients): Promise<ObservedCluster['failClosedWebhooks']> {
  const [mutating, validating] = await Promise.all([
    readable(allPages((page) => kube.admission.listMutatingWebhookConfiguration(page)), []),
    readable(allPages((page) => kube.admission.listValidatingWebhookConfiguration(page)), []),
  ]);
  const webhooks: Webhook[] = [...mutating, ...validating].flatMap(({ webhooks: some }): Webhook[] => some ?? []);
  return bounded(webhooks.filter(guardsPods), 4, async (webhook) => {
    const { service } = webhook.clientConfig;
    // By URL: outside of the cluster, nothing here moves it.
    if (service === undefined) return { name: webhook.name, readyEndpoints: null };
    return { name: webhook.name, service: `${service.namespace}/${service.name}`, readyEndpoints: await readyEndpoints(kube, service) };
  });
}

function guardsPods(webhook: Webhook): boolean {
  if (webhook.failurePolicy === 'Ignore') return false;
  return (webhook.rules ?? []).some(
    ({ resources = [], operations = [] }) =>
      resources.some((resource) => ['pods', '*', '*/*', 'pods/*'].includes(resource)) && operations.some((operation) => operation === 'CREATE' || operation === '*'),
  );
}

async function readyEndpoints(kube: KubeClients, service: { namespace: string; name: string }): Promise<number | null> {
  const slices = await readable(
    allPages((page) => kube.make(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace: service.namespace, labelSelector: `kubernetes.io/service-name=${service.name}`, ...page })),
    null,
  );
  if (slices === null) return null;
  return slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length;
}
