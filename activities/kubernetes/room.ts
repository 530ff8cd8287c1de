import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { oldSelector } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { isReady, podReady } from '../../domain/kubernetes/resources.js';
import { AGENT_NOT_READY_TAINT, CILIUM_OPERATOR, KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Clients } from '../clients/index.js';
import { listNodes, podsOnNode, systemPods } from './lists.js';
import { OPERATOR_SELECTOR } from './standing.js';
import { workloadsOf } from './workloads.js';
import type { WorkloadNow } from './workloads.js';

/** Before anything is touched: would the cluster stand it if this node went now? With the workloads that have pods there. */
export async function roomBlockers(clients: Clients, ref: NodeRef, direction: Direction): Promise<{ blockers: Blocker[]; workloads: WorkloadNow[] }> {
  const [operators, pods] = await Promise.all([systemPods(clients, OPERATOR_SELECTOR), podsOnNode(clients, ref.name)]);
  const workloads = await workloadsOf(clients, pods);
  return { blockers: [...((await needsOperator(clients, ref, direction)) ? await operatorBlockers(clients, ref, operators) : []), ...ownerBlockers(ref), ...workloadBlockers(workloads, pods)], workloads };
}

/** On the way back Cilium's nodes need it, and the last of them takes it along. */
async function needsOperator(clients: Clients, ref: NodeRef, direction: Direction): Promise<boolean> {
  if (direction.needsOperator) return true;
  return (await listNodes(clients, oldSelector(direction))).some(({ metadata }) => metadata?.name !== ref.name);
}

/** Without cilium-operator no new node gets addresses: it must run, and go on to run when this node is gone. */
async function operatorBlockers(clients: Clients, ref: NodeRef, pods: V1Pod[]): Promise<Blocker[]> {
  const object = `Deployment ${KUBE_SYSTEM}/${CILIUM_OPERATOR}`;
  const ready = pods.filter(podReady);
  if (ready.length === 0) return [{ object, reason: 'no replica is ready', todo: `kubectl -n ${KUBE_SYSTEM} describe deploy/${CILIUM_OPERATOR}` }];
  if (ready.some((pod) => pod.spec?.nodeName !== ref.name)) return [];
  const taken = new Set(pods.map((pod) => pod.spec?.nodeName));
  const [operator] = ready;
  // Of all nodes only where this is the one with the operator.
  const place = (await listNodes(clients)).find((node) => {
    const name = node.metadata?.name ?? '';
    // Its replicas exclude each other by host.
    return name !== ref.name && !taken.has(name) && isReady(node) && node.spec?.unschedulable !== true && operator !== undefined && tolerates(operator, node);
  });
  if (place !== undefined) return [];
  return [{ object, reason: `its only ready replica runs on ${ref.name}, and no other node could take it`, todo: 'Add a node, or uncordon one.' }];
}

function tolerates(pod: V1Pod, node: V1Node): boolean {
  return (node.spec?.taints ?? []).every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      taint.key === AGENT_NOT_READY_TAINT ||
      (pod.spec?.tolerations ?? []).some(
        (toleration) =>
          (toleration.key === undefined || toleration.key === '' || toleration.key === taint.key) &&
          (toleration.effect === undefined || toleration.effect === '' || toleration.effect === taint.effect) &&
          (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')),
      ),
  );
}

/** A node that nothing would replace is for a person. Whether its pool could spare it was decided when it was admitted. */
function ownerBlockers({ name, instanceId, group }: NodeRef): Blocker[] {
  if (group !== '') return [];
  return [{ object: `Instance ${instanceId}`, reason: 'no Auto Scaling group and no NodeClaim owns it', todo: `Skip it and replace it by hand: ciliate skip CLUSTER ${name} --reason TEXT` }];
}

/** A workload that has lost replicas already, and would lose the last ready ones with this node, is awaited first. */
function workloadBlockers(workloads: WorkloadNow[], pods: V1Pod[]): Blocker[] {
  const blockers: Blocker[] = [];
  for (const workload of workloads) {
    if (workload.ready === 0 || workload.ready >= workload.wanted) continue;
    const { kind, namespace, name } = workload;
    const here = pods.filter((pod) => podReady(pod) && pod.metadata?.namespace === namespace && pod.metadata.ownerReferences?.some((owner) => owner.name === name || owner.name.startsWith(`${name}-`))).length;
    if (here < workload.ready) continue;
    blockers.push({
      object: `${kind} ${namespace}/${name}`,
      reason: `${workload.ready} of ${workload.wanted} replicas are ready, all of them on this node`,
      todo: `kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
    });
  }
  return blockers;
}
