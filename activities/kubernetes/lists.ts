import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { AWS_NODE, CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { controllerOf, fullName, podFinished } from '../../domain/kubernetes/resources.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

const PAGE = 500;

interface Page<T> {
  items: T[];
  metadata?: { _continue?: string };
}

/** All items of a list, page by page, so that no answer is huge. */
async function all<T>(page: (limit: number, _continue: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const answer = await page(PAGE, next);
    items.push(...answer.items);
    next = answer.metadata?._continue || undefined;
  } while (next !== undefined);
  return items;
}

export function listNodes(clients: Clients, labelSelector?: string): Promise<V1Node[]> {
  return all((limit, _continue) => clients.kube.core.listNode({ limit, _continue, labelSelector }));
}

/** Pods of the whole cluster, or of one namespace, each reduced by `keep` at once: thousands of whole pods do not fit a small worker. */
export async function mapPods<T>(clients: Clients, keep: (pod: V1Pod) => T | undefined, namespace?: string): Promise<T[]> {
  const { core } = clients.kube;
  const kept: T[] = [];
  let next: string | undefined;
  do {
    const page = { limit: PAGE, _continue: next };
    const answer = await (namespace === undefined ? core.listPodForAllNamespaces(page) : core.listNamespacedPod({ namespace, ...page }));
    for (const pod of answer.items) {
      const value = keep(pod);
      if (value !== undefined) kept.push(value);
    }
    next = answer.metadata?._continue || undefined;
  } while (next !== undefined);
  return kept;
}

export function podsOnNode(clients: Clients, nodeName: string): Promise<V1Pod[]> {
  return all((limit, _continue) => clients.kube.core.listPodForAllNamespaces({ limit, _continue, fieldSelector: `spec.nodeName=${nodeName}` }));
}

/** Not running yet: to be scheduled, or starting. */
export function pendingPods(clients: Clients): Promise<V1Pod[]> {
  return all((limit, _continue) => clients.kube.core.listPodForAllNamespaces({ limit, _continue, fieldSelector: 'status.phase=Pending' }));
}

/** Pods of one namespace that carry these labels; none given: all of them. */
export function namespacePods(clients: Clients, namespace: string, matchLabels: Record<string, string> = {}): Promise<V1Pod[]> {
  const labelSelector = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`).join(',') || undefined;
  return all((limit, _continue) => clients.kube.core.listNamespacedPod({ namespace, limit, _continue, labelSelector }));
}

/** What made each ReplicaSet, by `namespace/name`: of one namespace, or of the whole cluster. */
export async function replicaSetParents(clients: Clients, namespace?: string): Promise<Map<string, { kind: string; name: string; apiVersion?: string }>> {
  const { apps } = clients.kube;
  const parents = new Map<string, { kind: string; name: string; apiVersion?: string }>();
  let next: string | undefined;
  do {
    const page = { limit: PAGE, _continue: next };
    const answer = await (namespace === undefined ? apps.listReplicaSetForAllNamespaces(page) : apps.listNamespacedReplicaSet({ namespace, ...page }));
    for (const { metadata } of answer.items) {
      const parent = controllerOf(metadata);
      if (parent !== undefined) parents.set(fullName(metadata), { kind: parent.kind, name: parent.name, apiVersion: parent.apiVersion });
    }
    next = answer.metadata?._continue || undefined;
  } while (next !== undefined);
  return parents;
}

export function systemPods(clients: Clients, labelSelector: string): Promise<V1Pod[]> {
  return all((limit, _continue) => clients.kube.core.listNamespacedPod({ namespace: KUBE_SYSTEM, limit, _continue, labelSelector }));
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
    all((limit, _continue) => clients.kube.core.listNamespacedPod({ namespace: KUBE_SYSTEM, limit, _continue, fieldSelector: `spec.nodeName=${nodeName}` })),
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
