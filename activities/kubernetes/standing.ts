import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { podFinished } from '../../domain/kubernetes/resources.js';
import { CILIUM, CNI_LABEL, CNI_LABEL_AWS, KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeCounts } from '../../domain/status.js';
import type { Snapshot } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { listNodes, selectorOf, systemDaemonSet, systemPods } from './lists.js';

/**
 * Where a node stands in the refresh. `aws`: still to be refreshed. `stuck`: labelled, yet an agent of Cilium lives on it: in
 * nobody's plan, hands off (observeNode.ts says the same). `other`: neither agent is meant for it.
 */
export type Standing = 'aws' | 'stuck' | 'cilium' | 'pending' | 'other';

export interface Standings {
  of(node: V1Node): Standing;
  counts: NodeCounts;
}

/** Reads the DaemonSet of Cilium; everything else is in the snapshot. */
export async function standingsOf(clients: Clients, { nodes, pods }: Pick<Snapshot, 'nodes' | 'pods'>): Promise<Standings> {
  const daemonSet = await systemDaemonSet(clients, CILIUM);
  const selector = daemonSet?.spec?.selector ?? { matchLabels: { 'k8s-app': CILIUM } };
  const agents = new Map<string, boolean>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || pod.metadata?.namespace !== KUBE_SYSTEM || podFinished(pod) || !matchesSelector(selector, pod.metadata.labels ?? {})) continue;
    agents.set(node, agents.get(node) === true || pod.metadata.deletionTimestamp === undefined);
  }
  const template = daemonSet?.spec?.template.spec;
  const of = (node: V1Node): Standing => {
    const name = node.metadata?.name ?? '';
    const labels = node.metadata?.labels ?? {};
    if (labels[CNI_LABEL] === CNI_LABEL_AWS) return agents.get(name) === true ? 'stuck' : 'aws';
    if (agents.has(name)) return 'cilium';
    return template !== undefined && matchesNode(template.affinity as Affinity | undefined, template.nodeSelector, { name, labels }) ? 'pending' : 'other';
  };
  const counts: NodeCounts = { aws: 0, cilium: 0, pending: 0 };
  for (const node of nodes) {
    const at = of(node);
    if (at === 'aws' || at === 'stuck') counts.aws++;
    else if (at !== 'other') counts[at]++;
  }
  return { of, counts };
}

/** Counted from lists of now, not from the watches: a phase is over by these. */
export async function countNodes(clients: Clients): Promise<NodeCounts> {
  const [nodes, pods] = await Promise.all([listNodes(clients), systemPods(clients, selectorOf(await systemDaemonSet(clients, CILIUM), CILIUM))]);
  return (await standingsOf(clients, { nodes, pods })).counts;
}

/** Label of cilium-operator's pods, in every chart from 1.12 on. */
export const OPERATOR_SELECTOR = 'name=cilium-operator';

export function isOperator(pod: V1Pod): boolean {
  return pod.metadata?.namespace === KUBE_SYSTEM && pod.metadata.labels?.['name'] === 'cilium-operator';
}
