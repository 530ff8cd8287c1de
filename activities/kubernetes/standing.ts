import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { podFinished } from '../../domain/kubernetes/resources.js';
import { isOld } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeCounts } from '../../domain/status.js';
import type { Snapshot } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { listNodes, selectorOf, systemDaemonSet, systemPods } from './lists.js';

/**
 * Where a node stands in the refresh. `old`: still to be refreshed. `stuck`: labelled so, yet the agent that new nodes come up on lives
 * there, and should not: in nobody's plan, hands off (observeNode.ts says the same). `fresh`: runs that agent. `other`: it is not meant for it.
 */
export type Standing = 'old' | 'stuck' | 'fresh' | 'pending' | 'other';

export interface Standings {
  of(node: V1Node): Standing;
  counts: NodeCounts;
}

/** Reads the DaemonSet of the agent; everything else is in the snapshot. */
export async function standingsOf(clients: Clients, direction: Direction, { nodes, pods }: Pick<Snapshot, 'nodes' | 'pods'>): Promise<Standings> {
  const daemonSet = await systemDaemonSet(clients, direction.agent);
  const selector = daemonSet?.spec?.selector ?? { matchLabels: { 'k8s-app': direction.agent } };
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
    if (isOld(direction, labels)) return agents.get(name) === true && !direction.sharedByOld ? 'stuck' : 'old';
    if (agents.has(name)) return 'fresh';
    return template !== undefined && matchesNode(template.affinity as Affinity | undefined, template.nodeSelector, { name, labels }) ? 'pending' : 'other';
  };
  const counts: NodeCounts = { aws: 0, cilium: 0, pending: 0 };
  for (const node of nodes) {
    const at = of(node);
    if (at === 'old' || at === 'stuck') counts[direction.count.old]++;
    else if (at === 'fresh') counts[direction.count.fresh]++;
    else if (at === 'pending') counts.pending++;
  }
  return { of, counts };
}

/** Counted from lists of now, not from the watches: a phase is over by these. */
export async function countNodes(clients: Clients, direction: Direction): Promise<NodeCounts> {
  const { agent } = direction;
  const [nodes, pods] = await Promise.all([listNodes(clients), systemPods(clients, selectorOf(await systemDaemonSet(clients, agent), agent))]);
  return (await standingsOf(clients, direction, { nodes, pods })).counts;
}

/** Label of cilium-operator's pods, in every chart from 1.12 on. */
export const OPERATOR_SELECTOR = 'name=cilium-operator';

export function isOperator(pod: V1Pod): boolean {
  return pod.metadata?.namespace === KUBE_SYSTEM && pod.metadata.labels?.['name'] === 'cilium-operator';
}
