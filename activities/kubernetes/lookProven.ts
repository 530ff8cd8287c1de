import type { V1Node } from '@kubernetes/client-node';
import { sha256Hex } from '../../domain/digest.js';
import { removalText } from '../../domain/gates.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { fullName, isReady, podReady } from '../../domain/kubernetes/resources.js';
import { unmanagedBlockers } from '../../domain/kubernetes/unmanaged.js';
import { AWS_NODE, CILIUM, CNI_LABEL, CNI_LABEL_AWS, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { listNodes, readAgents } from './lists.js';
import type { Agents } from './lists.js';
import { unmanagedPods } from './unmanagedPods.js';

/** Names in a blocker before the rest is counted. */
const NAMED = 5;

/** Done when no node needs aws-node, Cilium runs where it should, and every pod on its nodes is one of Cilium's. */
export async function lookProven(clients: Clients, known: string): Promise<Look & { proofs: string[]; unmanaged: number; digest: string }> {
  const [nodes, agents] = await Promise.all([listNodes(clients), readAgents(clients)]);
  const ciliumNodes = nodes.filter((node) => wantsCilium(node, agents));
  const unmanaged = await unmanagedPods(clients, agents, ({ metadata }) => fullName(metadata));
  const labelled = nodes.filter((node) => node.metadata?.labels?.[CNI_LABEL] === CNI_LABEL_AWS);
  const awsDesired = agents.awsNode?.status?.desiredNumberScheduled ?? 0;
  const blockers = [
    ...labelled.slice(0, NAMED).map((node) => ({ object: `Node ${node.metadata?.name}`, reason: `carries ${CNI_LABEL}=${CNI_LABEL_AWS}`, todo: 'It must be refreshed first.' })),
    ...awsBlockers(agents, awsDesired),
    ...agentBlockers(agents, ciliumNodes),
    ...unmanagedBlockers(unmanaged, 'Cilium nodes'),
  ];
  const proofs = [
    `${labelled.length} nodes labelled ${CNI_LABEL}=${CNI_LABEL_AWS}`,
    agents.awsNode === undefined ? 'DaemonSet aws-node is gone' : `aws-node desires ${awsDesired} pods and runs ${agents.awsPods.size}`,
    `Cilium agent ready on ${ciliumNodes.length} of ${ciliumNodes.length} nodes that should have it`,
    `${unmanaged.length} pods on Cilium nodes without a CiliumEndpoint`,
  ];
  const digest = sha256Hex(removalText({ labelled: labelled.length, awsNodeDesired: awsDesired, unmanaged: unmanaged.length }));
  const seenOf = blockers.map(({ object, reason }) => [object, reason]);
  return look({ known, done: blockers.length === 0, blockers, seenOf, extra: { proofs, unmanaged: unmanaged.length, digest } });
}

export function wantsCilium(node: V1Node, agents: Agents): boolean {
  const spec = agents.cilium?.spec?.template.spec;
  const identity = { name: node.metadata?.name ?? '', labels: node.metadata?.labels ?? {} };
  return spec !== undefined && matchesNode(spec.affinity as Affinity | undefined, spec.nodeSelector, identity);
}

function awsBlockers(agents: Agents, desired: number): Blocker[] {
  if (desired === 0 && agents.awsPods.size === 0) return [];
  return [{ object: `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`, reason: `desires ${desired} pods and runs ${agents.awsPods.size}`, todo: 'Every node must leave it first.' }];
}

export function agentBlockers(agents: Agents, nodes: V1Node[]): Blocker[] {
  if (agents.cilium === undefined) return [{ object: `DaemonSet ${KUBE_SYSTEM}/${CILIUM}`, reason: 'is not there', todo: 'Start the migration again.' }];
  return nodes.flatMap((node): Blocker[] => {
    const name = node.metadata?.name ?? '';
    const agent = agents.ciliumPods.get(name);
    const todo = `kubectl -n ${KUBE_SYSTEM} get pods -l k8s-app=cilium --field-selector spec.nodeName=${name}`;
    if (agent === undefined) return [{ object: `Node ${name}`, reason: 'has no agent of Cilium', todo }];
    if (!podReady(agent)) return [{ object: `Node ${name}`, reason: `its agent ${agent.metadata?.name} is not ready`, todo }];
    return isReady(node) ? [] : [{ object: `Node ${name}`, reason: 'is not Ready', todo: `kubectl describe node ${name}` }];
  });
}
