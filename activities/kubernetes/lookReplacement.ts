import type { Instance } from '@aws-sdk/client-ec2';
import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { poolTitle } from '../../domain/kubernetes/karpenter.js';
import { addressesOf } from '../../domain/kubernetes/ciliumNode.js';
import { instanceIdOf, isReady, podReady, readyCondition, zoneOf } from '../../domain/kubernetes/resources.js';
import { AGENT_NOT_READY_TAINT, CNI_LABEL, CNI_LABEL_AWS, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker, NodeResult } from '../../domain/refresh.js';
import type { Look, NodeRequest } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { driverOf } from '../drivers/index.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { readCiliumNode } from './ciliumResources.js';
import { judgePods } from './judgePods.js';
import { agentsOn } from './lists.js';
import { claim, claims } from './terminations.js';

type Replacement = NonNullable<NodeResult['replacement']>;
type ReplacementRequest = NodeRequest & { instancesBefore: string[]; known: string };

/**
 * Done when a new instance of the node's own pool is a Ready node on Cilium, with free addresses, nothing of aws-node and no pod that
 * Cilium does not know on it; at once where its driver knows that none is due.
 */
export function lookReplacement(clients: Clients, request: ReplacementRequest): Promise<Look & { replacement: Replacement | null }> {
  const old = new Set([...request.instancesBefore, request.node.instanceId]);
  const fresh = new Set<string>();
  const matters = (event: ClusterEvent): boolean => {
    if (event.kind === 'Pod') return event.object.metadata?.namespace === KUBE_SYSTEM && fresh.has(event.object.spec?.nodeName ?? '');
    if (event.kind !== 'Node' || old.has(instanceIdOf(event.object) ?? '')) return false;
    fresh.add(event.object.metadata?.name ?? '');
    return true;
  };
  return linger(clients, matters, () => replacementPass(clients, request));
}

async function replacementPass(clients: Clients, { node: ref, instancesBefore, known }: ReplacementRequest): Promise<Look & { replacement: Replacement | null }> {
  const [driver, claimed] = await Promise.all([driverOf(clients, ref), claims(clients)]);
  const others = [...claimed].filter(([, by]) => by !== ref.instanceId).map(([id]) => id);
  const { instances, awaited } = await driver.candidates(clients, ref, [...instancesBefore, ref.instanceId, ...others]);
  let best: { node: V1Node | undefined; instance: Instance; blockers: Blocker[] } | undefined;
  for (const instance of instances) {
    const judged = await judge(clients, instance);
    // The one that is furthest on is the one to talk about.
    if (best === undefined || judged.blockers.length < best.blockers.length) best = { instance, ...judged };
  }
  const blockers = [...(best?.blockers ?? awaited)];
  const proven = blockers.length === 0;
  // None is due where there is none and none is awaited.
  const done = proven && (best === undefined || (await claim(clients, best.instance.InstanceId ?? '', ref.instanceId)));
  if (proven && !done) blockers.push({ object: poolTitle(ref.group), reason: 'its newest instance replaces another node', todo: 'One of its own is awaited.' });
  const replacement =
    done && best !== undefined ? { name: best.node?.metadata?.name ?? '', instanceId: best.instance.InstanceId ?? '', zone: (best.node && zoneOf(best.node)) || (best.instance.Placement?.AvailabilityZone ?? '') } : null;
  return look({ known, done, blockers, seenOf: blockers.map(({ object, reason }) => [object, reason]), extra: { replacement } });
}

/** What a replacement still lacks: the first thing, since the rest follows from it. */
async function judge(clients: Clients, instance: Instance): Promise<{ node: V1Node | undefined; blockers: Blocker[] }> {
  const id = instance.InstanceId ?? '';
  if (instance.State?.Name === 'pending') return { node: undefined, blockers: [lack(`Instance ${id}`, 'is pending', 'It is awaited.')] };
  const node = await nodeOf(clients, instance);
  if (node === undefined) {
    return { node, blockers: [lack(`Instance ${id}`, 'is running, but no Node has come of it yet', 'It is awaited; if it stays, look at its console output: its kubelet does not join.')] };
  }
  return { node, blockers: await judgeNode(clients, node) };
}

async function judgeNode(clients: Clients, node: V1Node): Promise<Blocker[]> {
  const name = node.metadata?.name ?? '';
  const object = `Node ${name}`;
  const describe = `kubectl describe node ${name}`;
  if (node.metadata?.labels?.[CNI_LABEL] === CNI_LABEL_AWS) throw labelCameBack(name);
  const { aws, cilium: agent } = await agentsOn(clients, name);
  if (aws !== undefined) return [lack(object, `runs aws-node (pod ${aws.metadata?.name})`, 'aws-node must not run on a new node: look at its affinity.')];
  const logs = `kubectl -n kube-system describe pod ${agent?.metadata?.name ?? '-l k8s-app=cilium'}`;
  if (agent === undefined) return [lack(object, 'has no agent of Cilium yet', describe)];
  if (!podReady(agent)) return [lack(object, `its agent ${agent.metadata?.name} is not ready (${agent.status?.phase})`, logs)];
  const ciliumNode = await readCiliumNode(clients, name);
  if (ciliumNode === undefined) return [lack(object, 'has no CiliumNode yet', logs)];
  const { has, error } = addressesOf(ciliumNode);
  if (!has) return [lack(`CiliumNode ${name}`, error === undefined ? 'has no addresses yet' : `has no addresses: ${error}`, 'cilium-operator gives them: kubectl -n kube-system logs deploy/cilium-operator')];
  if (!isReady(node)) {
    const condition = readyCondition(node);
    return [lack(object, `is not Ready: ${condition?.reason ?? 'no condition'}${condition?.message ? ` (${condition.message})` : ''}`, describe)];
  }
  const taint = (node.spec?.taints ?? []).find((candidate) => candidate.key === AGENT_NOT_READY_TAINT);
  if (taint !== undefined) return [lack(object, `still has the taint ${AGENT_NOT_READY_TAINT}`, 'cilium-operator removes it once the agent is ready: kubectl -n kube-system logs deploy/cilium-operator')];
  return judgePods(clients, node, ciliumNode);
}

function lack(object: string, reason: string, todo: string): Blocker {
  return { object, reason, todo };
}

/** cilium-on-eks.md 2.4 */
function labelCameBack(name: string): CiliateError {
  return new CiliateError(
    'NeedsHuman',
    {
      object: `Node ${name}`,
      expected: `a new node without the label ${CNI_LABEL}`,
      seen: `${CNI_LABEL}=${CNI_LABEL_AWS}: something gives it to new nodes`,
      todo: 'Remove it there (labels of the managed node group, --node-labels in the launch template, Karpenter NodePool, Terraform), replace this node, then retry.',
    },
    { code: 'LabelCameBack' },
  );
}

/** By the name that EC2 gave the instance, which is the Node's on EKS; else by the name that the watch knows. */
async function nodeOf(clients: Clients, instance: Instance): Promise<V1Node | undefined> {
  const name = instance.PrivateDnsName;
  const named = name ? await orUndefined(clients.kube.core.readNode({ name })) : undefined;
  if (named !== undefined && instanceIdOf(named) === instance.InstanceId) return named;
  const other = (await clients.events.snapshot()).nodes.find((node) => instanceIdOf(node) === instance.InstanceId)?.metadata?.name;
  const found = other === undefined ? undefined : await orUndefined(clients.kube.core.readNode({ name: other }));
  return found !== undefined && instanceIdOf(found) === instance.InstanceId ? found : undefined;
}
