import type { V1Node } from '@kubernetes/client-node';
import { toAwsNode } from '../../domain/directions/toAwsNode.js';
import type { Direction } from '../../domain/directions/index.js';
import { CiliateError } from '../../domain/failures.js';
import { CILIUM_LABEL, CILIUM_LABEL_CILIUM, CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { stopIfCancelled } from '../look.js';
import { isCiliumConfined } from './confinedCilium.js';
import { nodesOfCilium } from './ciliumResources.js';
import { listNodes, readAgents } from './lists.js';
import { patchNode, pointer, takeLabelOff } from './patch.js';

/** Passes over the nodes before one that keeps joining is somebody's problem; the next attempt goes on. */
const ROUNDS = 5;

/**
 * Marks the nodes of Cilium for the way back, one by one, and lists again until none is left to mark. Decided by the agents' pods and
 * by CiliumNodes, never by names. A node with aws-node on it, or meant for it, is never marked, but where Cilium is chained on it.
 */
export async function markCilium(clients: Clients, direction: Direction = toAwsNode): Promise<{ marked: number; already: number }> {
  let marked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { unmarked, already } = await markable(clients, direction);
    if (unmarked.length === 0) return { marked, already: already - marked };
    for (const node of unmarked) {
      stopIfCancelled();
      if (await mark(clients, node)) marked++;
    }
  }
  throw new CiliateError('Transient', { object: 'Nodes', expected: 'every node of Cilium marked', seen: `unmarked ones after ${ROUNDS} passes`, todo: 'It is tried again; look at what adds nodes or removes labels.' }, { code: 'LabelsDisappear' });
}

async function markable(clients: Clients, { sharedByOld }: Direction): Promise<{ unmarked: V1Node[]; already: number }> {
  const agents = await readAgents(clients);
  const nodes = await listNodes(clients);
  const ofCilium = await nodesOfCilium(clients, nodes, agents);
  const unmarked: V1Node[] = [];
  let already = 0;
  for (const node of nodes) {
    const { name = '', labels = {} } = node.metadata ?? {};
    const value = labels[CILIUM_LABEL];
    if (value === CILIUM_LABEL_CILIUM) already++;
    else if (value !== undefined) throw foreign(name, value);
    else if (ofCilium.has(name) && (sharedByOld || (!agents.awsPods.has(name) && labels[CNI_LABEL] !== CNI_LABEL_AWS))) unmarked.push(node);
  }
  return { unmarked, already };
}

async function mark(clients: Clients, node: V1Node): Promise<boolean> {
  try {
    await patchNode(clients, node.metadata?.name ?? '', [
      { op: 'test', path: '/metadata/uid', value: node.metadata?.uid },
      { op: 'add', path: pointer('metadata', 'labels', CILIUM_LABEL), value: CILIUM_LABEL_CILIUM },
    ]);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Takes the mark off. Its key is ours alone, so no ledger is needed to know which are to go. */
export async function unmarkCilium(clients: Clients): Promise<{ unmarked: number }> {
  const nodes = await listNodes(clients, `${CILIUM_LABEL}=${CILIUM_LABEL_CILIUM}`);
  if (nodes.length > 0 && (await isCiliumConfined(clients))) throw stillNeeded();
  let unmarked = 0;
  for (const node of nodes) {
    stopIfCancelled();
    if (await takeLabelOff(clients, node, { key: CILIUM_LABEL, value: CILIUM_LABEL_CILIUM })) unmarked++;
  }
  return { unmarked };
}

/** Without the marks Cilium would leave every node at once. */
function stillNeeded(): CiliateError {
  return new CiliateError(
    'NeedsHuman',
    {
      object: 'DaemonSets of Cilium in kube-system',
      expected: `an affinity that does not ask for ${CILIUM_LABEL}, before that label is taken off`,
      seen: 'one that does',
      todo: 'Something put the values of a rollback back (GitOps, helm rollback): stop that, then start the migration again.',
    },
    { code: 'CiliumConfined' },
  );
}

function foreign(name: string, value: string): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: `Node ${name}`, expected: `no label ${CILIUM_LABEL}, or ${CILIUM_LABEL}=${CILIUM_LABEL_CILIUM}`, seen: `${CILIUM_LABEL}=${value}`, todo: 'Remove it from the node and from what sets it.' },
    { code: 'ForeignLabel' },
  );
}
