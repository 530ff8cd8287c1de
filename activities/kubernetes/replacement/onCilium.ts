import { toCilium } from '../../../domain/directions/toCilium.js';
import { addressesOf } from '../../../domain/kubernetes/ciliumNode.js';
import { podReady } from '../../../domain/kubernetes/resources.js';
import { AGENT_NOT_READY_TAINT } from '../../../domain/names.js';
import { readCiliumNode } from '../ciliumResources.js';
import { judgePods } from '../judgePods.js';
import { agentsOn } from '../lists.js';
import { assertUnlabelled, lack, notReady } from './judge.js';
import type { Judge } from './judge.js';

/** Ready on Cilium, with free addresses, nothing of aws-node, and no pod that Cilium does not know. */
export const judgeOnCilium: Judge = async (clients, node) => {
  const name = node.metadata?.name ?? '';
  const object = `Node ${name}`;
  assertUnlabelled(toCilium, node);
  const { aws, cilium: agent } = await agentsOn(clients, name);
  if (aws !== undefined) return [lack(object, `runs aws-node (pod ${aws.metadata?.name})`, 'aws-node must not run on a new node: look at its affinity.')];
  const logs = `kubectl -n kube-system describe pod ${agent?.metadata?.name ?? '-l k8s-app=cilium'}`;
  if (agent === undefined) return [lack(object, 'has no agent of Cilium yet', `kubectl describe node ${name}`)];
  if (!podReady(agent)) return [lack(object, `its agent ${agent.metadata?.name} is not ready (${agent.status?.phase})`, logs)];
  const ciliumNode = await readCiliumNode(clients, name);
  if (ciliumNode === undefined) return [lack(object, 'has no CiliumNode yet', logs)];
  const { has, error } = addressesOf(ciliumNode);
  if (!has) return [lack(`CiliumNode ${name}`, error === undefined ? 'has no addresses yet' : `has no addresses: ${error}`, 'cilium-operator gives them: kubectl -n kube-system logs deploy/cilium-operator')];
  const unready = notReady(node);
  if (unready.length > 0) return unready;
  const taint = (node.spec?.taints ?? []).find((candidate) => candidate.key === AGENT_NOT_READY_TAINT);
  if (taint !== undefined) return [lack(object, `still has the taint ${AGENT_NOT_READY_TAINT}`, 'cilium-operator removes it once the agent is ready: kubectl -n kube-system logs deploy/cilium-operator')];
  return judgePods(clients, node, ciliumNode);
};
