import type { V1Node } from '@kubernetes/client-node';
import { ON_CILIUM_NODES } from '../../domain/cilium/placement.js';
import { CiliateError } from '../../domain/failures.js';
import { hasInEveryTerm, matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { blockersText, stopIfCancelled } from '../look.js';
import { recordLabels } from './cniLedger.js';
import { nodesOfCilium } from './ciliumResources.js';
import { listNodes, readAgents } from './lists.js';
import type { Agents } from './lists.js';
import { patchNode, pointer } from './patch.js';
import type { PatchOp } from './patch.js';

export interface Labelled {
  labelled: number;
  already: number;
  onCilium: number;
}

/** What labelling does with one node. `other`: keeps a network of its own (Fargate, Windows …), or none of the agents wants it. */
export type LabelVerdict = 'label' | 'already' | 'on-cilium' | 'await' | 'other';

/** Passes over the nodes before a node that keeps joining is somebody's problem; the next attempt goes on. */
const ROUNDS = 5;

/**
 * Labels the nodes that aws-node serves `cni-plugin=aws`: ledger first, then one by one, then lists again until no node is
 * left to label. A node that runs Cilium is never labelled; one that runs neither agent yet is awaited.
 */
export async function labelNodes(clients: Clients): Promise<Labelled> {
  let labelled = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const agents = await readAgents(clients);
    const nodes = await listNodes(clients);
    const ofCilium = await nodesOfCilium(clients, nodes, agents);
    const verdicts = nodes.map((node) => ({ node, verdict: labelVerdict(node, { ...agents, ofCilium }) }));
    const doomed = verdicts.filter(({ verdict }) => verdict === 'label').map(({ node }) => node);
    const count = (wanted: LabelVerdict): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
    if (doomed.length === 0) {
      const awaited = verdicts.filter(({ verdict }) => verdict === 'await').map(({ node }) => node);
      if (awaited.length > 0) throw notYet(awaited);
      return { labelled, already: count('already') - labelled, onCilium: count('on-cilium') };
    }
    labelled += await labelAll(clients, doomed);
  }
  throw new CiliateError('Transient', { object: 'Nodes', expected: 'every node on aws-node labelled', seen: `unlabelled ones after ${ROUNDS} passes`, todo: 'It is tried again; look at what adds nodes or removes labels.' }, { code: 'LabelsDisappear' });
}

/** The rule of one node: decided by the agents' pods, never by names. */
export function labelVerdict(node: V1Node, agents: Agents & { ofCilium?: ReadonlySet<string> }): LabelVerdict {
  const name = node.metadata?.name ?? '';
  const labels = node.metadata?.labels ?? {};
  if (labels[CNI_LABEL] === CNI_LABEL_AWS) return 'already';
  if (labels[CNI_LABEL] !== undefined) throw foreign(name, labels[CNI_LABEL]);
  if (agents.ciliumPods.has(name)) return 'on-cilium';
  const identity = { name, labels };
  const aws = agents.awsNode?.spec?.template.spec;
  const cilium = agents.cilium?.spec?.template.spec;
  const wantedByCilium = cilium !== undefined && matchesNode(cilium.affinity as Affinity | undefined, cilium.nodeSelector, identity);
  if (agents.awsPods.has(name)) return 'label';
  // A rollback that ended early may have taken its agent away (late, and so not marked): it never becomes aws-node's.
  if (agents.ofCilium?.has(name) === true) return 'on-cilium';
  // Without Cilium in the cluster no node can have come up on it. The label can only bring aws-node (back): to a node that
  // joined just before aws-node was confined, say, and has lost its agent to that.
  const asLabelled = { name, labels: { ...labels, [CNI_LABEL]: CNI_LABEL_AWS } };
  const wantedByAws = aws !== undefined && matchesNode(aws.affinity as Affinity | undefined, aws.nodeSelector, asLabelled);
  if (agents.cilium === undefined) return wantedByAws && agents.ciliumPods.size === 0 ? 'label' : 'other';
  // Confined by a rollback that ended early, Cilium does not come to it any more; the label brings aws-node (back).
  if (!wantedByCilium && wantedByAws && hasInEveryTerm(cilium?.affinity as Affinity | undefined, ON_CILIUM_NODES)) return 'label';
  return wantedByCilium || wantedByAws ? 'await' : 'other';
}

async function labelAll(clients: Clients, nodes: V1Node[]): Promise<number> {
  const at = new Date().toISOString();
  await recordLabels(
    clients,
    nodes.map((node) => ({ uid: node.metadata?.uid ?? '', name: node.metadata?.name ?? '', at })),
  );
  let done = 0;
  for (const node of nodes) {
    stopIfCancelled();
    const test: PatchOp = { op: 'test', path: '/metadata/uid', value: node.metadata?.uid };
    try {
      await patchNode(clients, node.metadata?.name ?? '', [test, { op: 'add', path: pointer('metadata', 'labels', CNI_LABEL), value: CNI_LABEL_AWS }]);
      done++;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return done;
}

function foreign(name: string, value: string | undefined): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: `Node ${name}`, expected: `no label ${CNI_LABEL}, or ${CNI_LABEL}=${CNI_LABEL_AWS}`, seen: `${CNI_LABEL}=${value}`, todo: 'Find out who uses that label; remove it from the node and from what sets it.' },
    { code: 'ForeignLabel' },
  );
}

function notYet(nodes: V1Node[]): CiliateError {
  const blockers = nodes.map((node) => ({
    object: `Node ${node.metadata?.name}`,
    reason: 'runs neither aws-node nor Cilium yet',
    todo: `It is awaited; look at it if it stays: kubectl describe node ${node.metadata?.name}`,
  }));
  return new CiliateError('NotYet', blockersText(blockers), { code: 'NotYet', details: { blockers } });
}
