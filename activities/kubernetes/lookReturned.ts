import { toAwsNode } from '../../domain/directions/toAwsNode.js';
import { oldSelector } from '../../domain/directions/index.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import { isReady, podReady } from '../../domain/kubernetes/resources.js';
import { AWS_NODE, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { affinityOf } from './awsNode.js';
import { nodesOfCilium } from './ciliumResources.js';
import { listNodes, readAgents } from './lists.js';

/** Names in a blocker before the rest is counted. */
const NAMED = 5;

/** Done when no node is Cilium's any more and aws-node is ready wherever it should be. */
export async function lookReturned(clients: Clients, known: string): Promise<Look & { proofs: string[] }> {
  const [nodes, agents] = await Promise.all([listNodes(clients), readAgents(clients)]);
  const ofCilium = [...(await nodesOfCilium(clients, nodes, agents))];
  const marked = nodes.filter((node) => node.metadata?.labels?.[toAwsNode.label.key] === toAwsNode.label.value);
  const template = agents.awsNode?.spec?.template.spec;
  const wanting = nodes.filter((node) => agents.awsNode !== undefined && matchesNode(affinityOf(agents.awsNode), template?.nodeSelector, { name: node.metadata?.name ?? '', labels: node.metadata?.labels ?? {} }));
  const blockers: Blocker[] = [
    ...[...new Set([...ofCilium, ...marked.map((node) => node.metadata?.name ?? '')])].slice(0, NAMED).map((name) => ({ object: `Node ${name}`, reason: `runs Cilium, or carries ${oldSelector(toAwsNode)}`, todo: 'It must be replaced first.' })),
    ...(agents.awsNode === undefined ? [{ object: `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`, reason: 'is not there', todo: 'Start the rollback again.' }] : []),
    ...wanting.flatMap((node): Blocker[] => {
      const name = node.metadata?.name ?? '';
      const agent = agents.awsPods.get(name);
      if (agent === undefined || !podReady(agent)) return [{ object: `Node ${name}`, reason: agent === undefined ? 'has no pod of aws-node' : `its pod ${agent.metadata?.name} is not ready`, todo: `kubectl -n ${KUBE_SYSTEM} get pods -l k8s-app=${AWS_NODE} --field-selector spec.nodeName=${name}` }];
      return isReady(node) ? [] : [{ object: `Node ${name}`, reason: 'is not Ready', todo: `kubectl describe node ${name}` }];
    }),
  ];
  const proofs = [`${ofCilium.length} nodes run Cilium or have run it`, `aws-node ready on ${wanting.length} of ${wanting.length} nodes that should have it`];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object, reason }) => [object, reason]), extra: { proofs } });
}
