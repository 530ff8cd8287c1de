import { instanceIdOf, zoneOf } from '../../domain/kubernetes/resources.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { nextOf } from '../../domain/kubernetes/nodeOrder.js';
import type { Candidate } from '../../domain/kubernetes/nodeOrder.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeCounts } from '../../domain/status.js';
import type { Clients } from '../clients/index.js';
import { placesOf } from '../drivers/index.js';
import { listNodes, readAgents, systemPods } from './lists.js';

/** Label of cilium-operator's pods, in every chart from 1.12 on. */
export const OPERATOR_SELECTOR = 'name=cilium-operator';

/** The next labelled node and where the cluster stands. `exclude`: instance ids or Node names. */
export async function nextNode(clients: Clients, exclude: string[]): Promise<{ next: NodeRef | null; counts: NodeCounts; remaining: number }> {
  const [nodes, agents, operators] = await Promise.all([listNodes(clients), readAgents(clients), systemPods(clients, OPERATOR_SELECTOR)]);
  const counts: NodeCounts = { aws: 0, cilium: 0, pending: 0 };
  const cilium = agents.cilium?.spec?.template.spec;
  const left = nodes.filter((node) => {
    const name = node.metadata?.name ?? '';
    const labels = node.metadata?.labels ?? {};
    const onCilium = agents.ciliumPods.has(name);
    if (labels[CNI_LABEL] !== CNI_LABEL_AWS) {
      if (onCilium) counts.cilium++;
      else if (cilium !== undefined && matchesNode(cilium.affinity as Affinity | undefined, cilium.nodeSelector, { name, labels })) counts.pending++;
      return false;
    }
    counts.aws++;
    // A labelled node with an agent of Cilium's is in nobody's plan: hands off (observeNode.ts says the same).
    const live = onCilium && agents.ciliumPods.get(name)?.metadata?.deletionTimestamp === undefined;
    return !live && !exclude.includes(name) && !exclude.includes(instanceIdOf(node) ?? name);
  });
  const places = await placesOf(clients, left);
  const hosts = new Set(operators.map((pod) => pod.spec?.nodeName));
  const candidates: Candidate[] = left.flatMap((node) => {
    const instanceId = instanceIdOf(node);
    if (instanceId === undefined) return [];
    const member = places.get(instanceId);
    const name = node.metadata?.name ?? '';
    const ref = { name, uid: node.metadata?.uid ?? '', instanceId, group: member?.group ?? '', zone: zoneOf(node) || (member?.zone ?? '') };
    return [{ ref, hostsOperator: hosts.has(name), created: node.metadata?.creationTimestamp?.getTime() ?? 0 }];
  });
  return { next: nextOf(candidates), counts, remaining: left.length };
}
