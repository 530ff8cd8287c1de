import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { instanceIdOf, isReady, podReady } from '../../domain/kubernetes/resources.js';
import { CILIUM_OPERATOR, CNI_LABEL, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Activities, NodeRequest } from '../api.js';
import type { Clients } from '../clients/index.js';
import { listNodes, systemPods } from '../kubernetes/lists.js';
import { look } from '../look.js';
import { clientsOf } from './deps.js';
import type { RefreshDeps } from './deps.js';

/**
 * Before anything is touched: the operator is ready, its replica on this node is not the only one without a place to go, and
 * the group has all its instances as Nodes. What is wrong already must not get worse.
 */
export function lookRoom(deps: RefreshDeps): Activities['lookRoom'] {
  return async (request) => {
    const clients = await clientsOf(deps, request.target);
    const [nodes, operators] = await Promise.all([listNodes(clients), systemPods(clients, 'io.cilium/app=operator')]);
    const blockers = [...operatorBlockers({ nodes, operators, leaving: request.node.name }), ...(await groupBlockers(deps, clients, { request, nodes }))];
    return look({ known: request.known, done: blockers.length === 0, blockers, seenOf: blockers, extra: {} });
  };
}

interface OperatorPlaces {
  nodes: V1Node[];
  operators: V1Pod[];
  /** The node that is about to be drained. */
  leaving: string;
}

function operatorBlockers({ nodes, operators, leaving }: OperatorPlaces): Blocker[] {
  const object = `Deployment ${KUBE_SYSTEM}/${CILIUM_OPERATOR}`;
  const ready = operators.filter(podReady);
  if (ready.length === 0) {
    return [{ object, reason: 'no replica is Ready; without it a new node gets no IPs', todo: `kubectl -n ${KUBE_SYSTEM} describe deployment ${CILIUM_OPERATOR}` }];
  }
  if (ready.some((pod) => pod.spec?.nodeName !== leaving)) return [];
  const taken = new Set(operators.map((pod) => pod.spec?.nodeName));
  const place = nodes.some((node) => node.metadata?.name !== leaving && !taken.has(node.metadata?.name) && isReady(node) && !node.spec?.unschedulable);
  if (place) return [];
  return [{ object, reason: `its only ready replica is on ${leaving}, and no other node can take it`, todo: 'Uncordon or add a node; it goes on by itself' }];
}

async function groupBlockers(deps: RefreshDeps, clients: Clients, { request, nodes }: { request: NodeRequest; nodes: V1Node[] }): Promise<Blocker[]> {
  const name = request.node.group || (await deps.driver.groupsOf(clients, [request.node.instanceId])).get(request.node.instanceId);
  if (!name) {
    return [{ object: `Instance ${request.node.instanceId}`, reason: 'no Auto Scaling group holds it, so nothing would replace it', todo: 'Attach it to its group, or skip the node' }];
  }
  const group = await deps.driver.group(clients, name);
  const inService = group.instances.filter((instance) => instance.inService);
  const object = `Auto Scaling group ${name}`;
  if (inService.length < group.desiredCapacity) {
    const problem = await deps.driver.launchProblem(clients, name);
    const reason = `${inService.length} of ${group.desiredCapacity} instances InService${problem ? `; last launch: ${problem}` : ''}`;
    return [{ object, reason, todo: 'It goes on when the group is whole' }];
  }
  const byInstance = new Map(nodes.map((node) => [instanceIdOf(node), node]));
  return inService.flatMap((instance): Blocker[] => {
    const node = byInstance.get(instance.id);
    if (!node) return [{ object: `Instance ${instance.id}`, reason: `InService in ${name}, but there is no Node of it`, todo: 'It goes on when the Node registers' }];
    // An old node that is not Ready is about to go anyway; a new one must be.
    if (isReady(node) || node.metadata?.labels?.[CNI_LABEL]) return [];
    return [{ object: `Node ${node.metadata?.name}`, reason: 'new, and not Ready', todo: `kubectl describe node ${node.metadata?.name}` }];
  });
}
