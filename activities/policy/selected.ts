import { NetworkingV1Api } from '@kubernetes/client-node';
import { podFinished } from '../../domain/kubernetes/resources.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import type { LabelSelector } from '../../domain/kubernetes/labelSelector.js';
import { selectorText } from '../../domain/policy/labels.js';
import { directionsOf as policyDirections } from '../../domain/policy/networkPolicies.js';
import type { SelectedPods } from '../../domain/policy/losses.js';
import { directionsOf, selectedLabels } from '../../domain/policy/selectors.js';
import type { CiliumNetworkPolicy } from '../../domain/spec/policy.js';
import type { Clients } from '../clients/index.js';
import { allPages } from '../clients/pages.js';
import type { PageOptions } from '../clients/pages.js';
import { customNames, customObjects, readable } from '../observe/lists.js';
import { observedNetworkPolicy } from '../observe/networkPolicy.js';
import { CNP } from './objects.js';

type Labels = Record<string, string>;

/** The pods that a policy selects, which policies restrict them already, and which of them Cilium does not network. */
export interface Selected extends SelectedPods {
  unmanaged: string[];
}

/** Undefined where the policy selects by more than labels: then nobody but Cilium can tell. */
export async function selectedPods(clients: Clients, policy: CiliumNetworkPolicy): Promise<Selected | undefined> {
  const labels = selectedLabels(policy);
  if (labels === undefined) return undefined;
  const { namespace, name } = policy.metadata;
  const pods = (await allPages((page) => clients.kube.core.listNamespacedPod({ namespace, labelSelector: selectorText(labels), ...page })))
    .filter((pod) => !podFinished(pod) && pod.spec?.hostNetwork !== true)
    .map(({ metadata }) => ({ name: metadata?.name ?? '', labels: metadata?.labels ?? {} }));
  const custom = (plural: string) => (page: PageOptions) => clients.kube.custom.listNamespacedCustomObject({ group: CNP.group, version: CNP.version, namespace, plural, ...page });
  const [networkPolicies, ciliumPolicies, endpoints] = await Promise.all([
    readable(allPages((page) => clients.kube.make(NetworkingV1Api).listNamespacedNetworkPolicy({ namespace, ...page })), []),
    customObjects<CiliumNetworkPolicy>(custom(CNP.plural)),
    customNames(custom('ciliumendpoints')),
  ]);
  const denied = [
    ...networkPolicies.map(observedNetworkPolicy).map((found) => ({
      name: `NetworkPolicy ${namespace}/${found.name}`,
      directions: policyDirections(found),
      selects: (of: Labels) => matchesSelector(found.podSelector, of),
    })),
    ...ciliumPolicies.filter((found) => found.metadata.name !== name).map((found) => ({
      name: `CiliumNetworkPolicy ${namespace}/${found.metadata.name}`,
      directions: directionsOf(found),
      selects: (of: Labels) => matchesSelector(selectorOf(found), of),
    })),
  ];
  const deniedBy = (direction: 'ingress' | 'egress'): string[] =>
    denied.filter(({ directions, selects }) => directions.includes(direction) && pods.some((pod) => selects(pod.labels))).map((found) => found.name);
  const managed = new Set(endpoints.map((endpoint) => endpoint.name));
  return { pods: pods.length, egressDeniedBy: deniedBy('egress'), ingressDeniedBy: deniedBy('ingress'), unmanaged: pods.map((pod) => pod.name).filter((pod) => !managed.has(pod)) };
}

function selectorOf(policy: CiliumNetworkPolicy): LabelSelector | undefined {
  const labels = selectedLabels(policy);
  return labels === undefined ? undefined : { matchLabels: labels };
}
