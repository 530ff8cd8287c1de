import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { AWS_NODE, CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { controllerOf, fullName, podFinished } from '../../domain/kubernetes/resources.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { allPages, mapPages } from '../clients/pages.js';

/** Without the images that a node has pulled, up to fifty of them: half its size. */
export function listNodes(clients: Clients, labelSelector?: string): Promise<V1Node[]> {
  return mapPages(
    (page) => clients.kube.core.listNode({ ...page, labelSelector }),
    (node) => ({ ...node, status: { ...node.status, images: undefined } }),
  );
}

/** Pods of the whole cluster, or of one namespace, each reduced by `keep` at once. */
export async function mapPods<T>({ kube: { core } }: Clients, keep: (pod: V1Pod) => T | undefined, namespace?: string): Promise<T[]> {
  const kept = await mapPages((page) => (namespace === undefined ? core.listPodForAllNamespaces(page) : core.listNamespacedPod({ namespace, ...page })), keep);
  return kept.filter((value) => value !== undefined);
}

export function podsOnNode(clients: Clients, nodeName: string): Promise<V1Pod[]> {
  return allPages((page) => clients.kube.core.listPodForAllNamespaces({ ...page, fieldSelector: `spec.nodeName=${nodeName}` }));
}

/** Not running yet: to be scheduled, or starting. */
export function pendingPods(clients: Clients): Promise<V1Pod[]> {
  return allPages((page) => clients.kube.core.listPodForAllNamespaces({ ...page, fieldSelector: 'status.phase=Pending' }));
}

/** Pods of one namespace that carry these labels; none given: all of them. */
export function namespacePods(clients: Clients, namespace: string, matchLabels: Record<string, string> = {}): Promise<V1Pod[]> {
  const labelSelector = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`).join(',') || undefined;
  return allPages((page) => clients.kube.core.listNamespacedPod({ namespace, ...page, labelSelector }));
}

/** What made each ReplicaSet, by `namespace/name`: of one namespace, or of the whole cluster. */
export async function replicaSetParents({ kube: { apps } }: Clients, namespace?: string): Promise<Map<string, { kind: string; name: string; apiVersion?: string }>> {
  const parents = await mapPages(
    (page) => (namespace === undefined ? apps.listReplicaSetForAllNamespaces(page) : apps.listNamespacedReplicaSet({ namespace, ...page })),
    ({ metadata }) => ({ of: fullName(metadata), parent: controllerOf(metadata) }),
  );
  return new Map(parents.flatMap(({ of, parent }) => (parent === undefined ? [] : [[of, { kind: parent.kind, name: parent.name, apiVersion: parent.apiVersion }]])));
}

/** Pods of agents and operators: there is one of them on each node, so of their containers names and images only, and no volumes. */
export function systemPods(clients: Clients, labelSelector: string): Promise<V1Pod[]> {
  return mapPages((page) => clients.kube.core.listNamespacedPod({ namespace: KUBE_SYSTEM, ...page, labelSelector }), brief);
}

function brief({ metadata, spec, status }: V1Pod): V1Pod {
  const { nodeName, tolerations, containers = [] } = spec ?? {};
  return { metadata: { ...metadata, managedFields: undefined }, spec: { nodeName, tolerations, containers: containers.map(({ name, image }) => ({ name, image })) }, status: { phase: status?.phase, conditions: status?.conditions } };
}

export function systemDaemonSet(clients: Clients, name: string): Promise<V1DaemonSet | undefined> {
  return orUndefined(clients.kube.apps.readNamespacedDaemonSet({ namespace: KUBE_SYSTEM, name }));
}

/** The two agents: who of them runs where. */
export interface Agents {
  awsNode: V1DaemonSet | undefined;
  cilium: V1DaemonSet | undefined;
  /** Pods of aws-node that are bound to a node, by node; those on their way out too: they still serve its pods. */
  awsPods: Map<string, V1Pod>;
  ciliumPods: Map<string, V1Pod>;
}

export async function readAgents(clients: Clients): Promise<Agents> {
  const [awsNode, cilium] = await Promise.all([systemDaemonSet(clients, AWS_NODE), systemDaemonSet(clients, CILIUM)]);
  const [awsPods, ciliumPods] = await Promise.all([
    systemPods(clients, selectorOf(awsNode, AWS_NODE)),
    systemPods(clients, selectorOf(cilium, CILIUM)),
  ]);
  return { awsNode, cilium, awsPods: byNode(awsPods), ciliumPods: byNode(ciliumPods) };
}

/** Agents on one node: one list that does not grow with the cluster. */
export async function agentsOn(clients: Clients, nodeName: string): Promise<{ aws: V1Pod | undefined; cilium: V1Pod | undefined }> {
  const [awsNode, cilium, pods] = await Promise.all([
    systemDaemonSet(clients, AWS_NODE),
    systemDaemonSet(clients, CILIUM),
    allPages((page) => clients.kube.core.listNamespacedPod({ namespace: KUBE_SYSTEM, ...page, fieldSelector: `spec.nodeName=${nodeName}` })),
  ]);
  const of = (daemonSet: V1DaemonSet | undefined, name: string): V1Pod | undefined => {
    const selector = daemonSet?.spec?.selector ?? { matchLabels: { 'k8s-app': name } };
    return byNode(pods.filter((pod) => matchesSelector(selector, pod.metadata?.labels ?? {}))).get(nodeName);
  };
  return { aws: of(awsNode, AWS_NODE), cilium: of(cilium, CILIUM) };
}

/** A DaemonSet's own selector; where it is gone its pods may still be there, under the usual label. */
export function selectorOf(daemonSet: V1DaemonSet | undefined, name: string): string {
  const labels = Object.entries(daemonSet?.spec?.selector.matchLabels ?? {});
  return labels.length === 0 ? `k8s-app=${name}` : labels.map(([key, value]) => `${key}=${value}`).join(',');
}

function byNode(pods: V1Pod[]): Map<string, V1Pod> {
  const map = new Map<string, V1Pod>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || podFinished(pod)) continue;
    // During a rollout a node has two: the one that stays counts.
    if (!map.has(node) || pod.metadata?.deletionTimestamp === undefined) map.set(node, pod);
  }
  return map;
}
