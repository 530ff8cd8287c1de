import { MIRROR_ANNOTATION } from '../../domain/kubernetes/drain.js';
import { fullName, podReady } from '../../domain/kubernetes/resources.js';
import { isLeftAlone } from '../../domain/kubernetes/restartOwner.js';
import { unmanagedBlockers } from '../../domain/kubernetes/unmanaged.js';
import { AWS_NODE, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { listNodes, readAgents } from './lists.js';
import type { Agents } from './lists.js';
import { agentBlockers, wantsCilium } from './lookProven.js';
import { unmanagedPods } from './unmanagedPods.js';

/**
 * Done when both agents are ready wherever they should be, and Cilium knows every pod there. Pods that restarts leave alone (`bare`:
 * those that nobody makes again went too) do not hold it up: they are counted, and the report names them.
 */
export async function lookChained(clients: Clients, { known, bare }: { known: string; bare: boolean }): Promise<Look & { proofs: string[] }> {
  const [nodes, agents] = await Promise.all([listNodes(clients), readAgents(clients)]);
  const wanted = nodes.filter((node) => wantsCilium(node, agents));
  const all = await unmanagedPods(clients, agents, ({ metadata }) => ({
    name: fullName(metadata),
    left: isLeftAlone({ meta: metadata, mirror: metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined }, bare ? 'evict' : 'block'),
  }));
  const owned = all.filter(({ left }) => !left).map(({ name }) => name);
  const blockers = [...agentBlockers(agents, wanted), ...awsBlockers(agents), ...unmanagedBlockers(owned, 'nodes with both agents')];
  const proofs = [
    `Cilium agent ready on ${wanted.length} of ${wanted.length} nodes that should have it, beside aws-node`,
    `${owned.length} pods without a CiliumEndpoint${all.length > owned.length ? `, and ${all.length - owned.length} bare or static pods that were left alone` : ''}`,
  ];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object, reason }) => [object, reason]), extra: { proofs } });
}

/** Chained, a pod has its address from aws-node. */
function awsBlockers({ awsNode, awsPods }: Agents): Blocker[] {
  const object = `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`;
  if (awsNode === undefined) return [{ object, reason: 'is not there', todo: 'Cilium is chained on it: put it back.' }];
  const ready = [...awsPods.values()].filter(podReady).length;
  const desired = awsNode.status?.desiredNumberScheduled ?? 0;
  return ready >= desired ? [] : [{ object, reason: `${ready} of ${desired} pods are ready`, todo: `kubectl -n ${KUBE_SYSTEM} rollout status ds/${AWS_NODE}` }];
}
