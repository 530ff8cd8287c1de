import type { V1Node } from '@kubernetes/client-node';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import type { Activities, NodeRequest, NodeSituation } from '../api.js';
import type { Clients } from '../clients/index.js';
import { readAgents } from '../kubernetes/lists.js';
import { clientsOf, nodeNamed } from './deps.js';
import type { RefreshDeps } from './deps.js';
import { instanceLife } from './instance.js';

/** What is true of the node right now. Identity is instance id and Node UID; the name is only where to look. */
export function observeNode(deps: RefreshDeps): Activities['observeNode'] {
  return async (request) => {
    const clients = await clientsOf(deps, request.target);
    const [named, life] = await Promise.all([nodeNamed(clients, request.node.name), instanceLife(clients, request.node.instanceId)]);
    const ours = named?.metadata?.uid === request.node.uid ? named : undefined;
    if (ours) return life === 'running' ? present(clients, ours) : situation('instance-gone', `instance ${request.node.instanceId} is terminated, its Node is still there`);
    if (life !== 'running') return situation('gone', `neither Node ${request.node.name} (UID ${request.node.uid}) nor instance ${request.node.instanceId} is there`);
    return leaked(request, named);
  };
}

async function present(clients: Clients, node: V1Node): Promise<NodeSituation> {
  const name = node.metadata?.name ?? '';
  const { ciliumPods } = await readAgents(clients);
  if (ciliumPods.has(name)) return situation('on-cilium', `Node ${name} runs a Cilium agent: it is not refreshed. Remove its label ${CNI_LABEL} if it came up on Cilium`);
  if (node.metadata?.labels?.[CNI_LABEL] !== CNI_LABEL_AWS) return situation('on-cilium', `Node ${name} lost its label ${CNI_LABEL}=${CNI_LABEL_AWS} since it was chosen`);
  return { state: 'present', cordonedByOthers: node.spec?.unschedulable === true, why: 'labelled, on aws-node, instance running' };
}

/**
 * Somebody deleted the Node and left the instance (the article's script, killed in between). Without a Node no pod is
 * there to drain, and it is terminated; a Node that registered again has pods, so a person must look.
 */
function leaked({ node }: NodeRequest, named: V1Node | undefined): NodeSituation {
  if (named && instanceIdOf(named) === node.instanceId) {
    return situation('on-cilium', `Node ${node.name} of instance ${node.instanceId} registered again (UID ${named.metadata?.uid}, was ${node.uid}): it may run both CNIs. Drain it by hand, or skip it`);
  }
  return situation('node-gone', `instance ${node.instanceId} runs, its Node is gone`);
}

function situation(state: NodeSituation['state'], why: string): NodeSituation {
  return { state, cordonedByOthers: false, why };
}
