import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { addressesOf } from '../../domain/kubernetes/ciliumNode.js';
import type { CiliumNodeLike } from '../../domain/kubernetes/ciliumNode.js';
import { instanceIdOf, podReady, readyCondition } from '../../domain/kubernetes/resources.js';
import { AGENT_NOT_READY_TAINT, CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Activities } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { listNodes, readAgents } from '../kubernetes/lists.js';
import type { Agents } from '../kubernetes/lists.js';
import { look } from '../look.js';
import { clientsOf } from './deps.js';
import type { RefreshDeps } from './deps.js';
import type { GroupInstance } from './driver.js';
import { launchTimes } from './instance.js';

/**
 * The group is whole again and every new node of it is proven: InService, Ready, unlabelled, agent ready, taint gone, a
 * CiliumNode with addresses, no aws-node pod. Whole is what the group itself wants now; the newest proven node is named as
 * the replacement. So a second look, or a group that an autoscaler grew meanwhile, comes to the same answer.
 */
export function lookReplacement(deps: RefreshDeps): Activities['lookReplacement'] {
  return async ({ target, node, instancesBefore, known }) => {
    const clients = await clientsOf(deps, target);
    const name = node.group;
    const [group, nodes, agents] = await Promise.all([deps.driver.group(clients, name), listNodes(clients), readAgents(clients)]);
    const byInstance = new Map(nodes.map((other) => [instanceIdOf(other), other]));
    const counted = group.instances.filter((instance) => instance.id !== node.instanceId && !/^Terminat/.test(instance.lifecycle));
    const fresh = counted.filter((instance) => !instancesBefore.includes(instance.id) && byInstance.get(instance.id)?.metadata?.labels?.[CNI_LABEL] !== CNI_LABEL_AWS);
    refuseReturnedLabel(counted, { instancesBefore, byInstance });

    const missing = group.desiredCapacity - counted.length;
    const blockers: Blocker[] = missing > 0 ? [await notLaunched(deps, clients, { name, missing })] : [];
    for (const instance of fresh) blockers.push(...(await unproven(clients, instance, { node: byInstance.get(instance.id), agents })));
    const done = blockers.length === 0;
    const replacement = done ? await newest(clients, fresh, byInstance) : null;
    return look({ known, done, blockers, seenOf: blockers, extra: { replacement } });
  };
}

/** A new node that carries the label would get aws-node: the group, its launch template or IaC puts it there. */
function refuseReturnedLabel(counted: GroupInstance[], seen: { instancesBefore: string[]; byInstance: Map<string | undefined, V1Node> }): void {
  if (seen.instancesBefore.length === 0) return;
  for (const instance of counted) {
    const node = seen.byInstance.get(instance.id);
    if (seen.instancesBefore.includes(instance.id) || node?.metadata?.labels?.[CNI_LABEL] !== CNI_LABEL_AWS) continue;
    throw new CiliateError(
      'NeedsHuman',
      {
        object: `Node ${node.metadata?.name} (${instance.id})`,
        expected: `a replacement without the label ${CNI_LABEL}=${CNI_LABEL_AWS}`,
        seen: 'the label came back with the new node',
        todo: 'Remove it where it comes from (node group labels, launch template user data, IaC), replace that node by hand, then retry.',
      },
      { code: 'LabelReturned' },
    );
  }
}

async function notLaunched(deps: RefreshDeps, clients: Clients, { name, missing }: { name: string; missing: number }): Promise<Blocker> {
  const problem = await deps.driver.launchProblem(clients, name);
  return {
    object: `Auto Scaling group ${name}`,
    reason: problem ? `its last launch failed: ${problem}` : `${missing} instance${missing === 1 ? '' : 's'} not launched yet`,
    todo: problem ? 'Mend what EC2 says; the group tries again by itself' : 'It goes on by itself',
  };
}

async function unproven(clients: Clients, instance: GroupInstance, { node, agents }: { node: V1Node | undefined; agents: Agents }): Promise<Blocker[]> {
  const name = node?.metadata?.name;
  if (!node || !name) return [{ object: `Instance ${instance.id}`, reason: instance.inService ? 'InService, no Node of it yet' : `is ${instance.lifecycle}, no Node of it yet`, todo: 'It registers when it has booted' }];
  const object = `Node ${name}`;
  const todo = `kubectl describe node ${name}`;
  const blockers: Blocker[] = [];
  if (agents.awsPods.has(name)) blockers.push({ object, reason: 'runs aws-node although it is not labelled', todo: "Compare aws-node's affinity: kubectl -n kube-system get daemonset aws-node -o yaml" });
  const agent = agents.ciliumPods.get(name);
  if (!agent) blockers.push({ object, reason: 'no Cilium agent on it', todo: 'kubectl -n kube-system get daemonset cilium -o yaml' });
  else if (!podReady(agent)) blockers.push({ object, reason: 'its Cilium agent is not Ready', todo: `kubectl -n kube-system logs ${agent.metadata?.name}` });
  const ready = readyCondition(node);
  if (ready?.status !== 'True') blockers.push({ object, reason: `not Ready${ready?.reason ? ` (${ready.reason})` : ''}`, todo });
  if (node.spec?.taints?.some((taint) => taint.key === AGENT_NOT_READY_TAINT)) blockers.push({ object, reason: `still has taint ${AGENT_NOT_READY_TAINT}`, todo: 'cilium-operator removes it once the agent is Ready' });
  if (blockers.length === 0) blockers.push(...(await withoutAddresses(clients, name)));
  if (!instance.inService) blockers.push({ object: `Instance ${instance.id}`, reason: `is ${instance.lifecycle} in its group`, todo: 'It goes on by itself; a lifecycle hook may hold it' });
  return blockers;
}

async function withoutAddresses(clients: Clients, name: string): Promise<Blocker[]> {
  const object = `CiliumNode ${name}`;
  const read = clients.kube.custom.getClusterCustomObject({ group: 'cilium.io', version: 'v2', plural: 'ciliumnodes', name });
  const node = (await orUndefined(read)) as CiliumNodeLike | undefined;
  if (!node) return [{ object, reason: 'not there yet', todo: 'The agent makes it when it starts' }];
  const { has, error } = addressesOf(node);
  if (has && !error) return [];
  const reason = error ? `the operator cannot give it addresses: ${error}` : 'has no addresses yet';
  return [{ object, reason, todo: 'kubectl -n kube-system logs deployment/cilium-operator' }];
}

async function newest(clients: Clients, fresh: GroupInstance[], byInstance: Map<string | undefined, V1Node>): Promise<{ name: string; instanceId: string; zone: string } | null> {
  const launched = await launchTimes(clients, fresh.map((instance) => instance.id));
  const [first] = [...fresh].sort((a, b) => (launched.get(b.id) ?? 0) - (launched.get(a.id) ?? 0));
  return first ? { name: byInstance.get(first.id)?.metadata?.name ?? '', instanceId: first.id, zone: first.zone } : null;
}
