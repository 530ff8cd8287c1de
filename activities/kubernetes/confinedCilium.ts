import type { V1DaemonSet } from '@kubernetes/client-node';
import { ON_CILIUM_NODES } from '../../domain/cilium/placement.js';
import { CiliateError } from '../../domain/failures.js';
import { affinityKeys, hasInEveryTerm } from '../../domain/kubernetes/nodeAffinity.js';
import { CILIUM, CILIUM_ENVOY, CILIUM_LABEL, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import type { Clients } from '../clients/index.js';
import { blockersText, look } from '../look.js';
import { affinityOf } from './awsNode.js';
import { systemDaemonSet } from './lists.js';

/** Done when no DaemonSet of Cilium can come to a node that is not marked: the affinity is there, and the controller goes by it. */
export async function lookCiliumConfined(clients: Clients, known: string): Promise<Look> {
  const blockers = await unconfined(clients);
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers, extra: {} });
}

/** The last look before aws-node is let onto new nodes: both agents on one node is the one thing that must never be. */
export async function assertCiliumConfined(clients: Clients): Promise<void> {
  const blockers = await unconfined(clients);
  if (blockers.length > 0) throw new CiliateError('NotYet', blockersText(blockers), { code: 'NotYet', details: { blockers } });
}

/** Whether any DaemonSet of Cilium needs the marks on the nodes: without them it would lose its pods there. */
export async function isCiliumConfined(clients: Clients): Promise<boolean> {
  return (await daemonSetsOf(clients)).some((daemonSet) => affinityKeys(affinityOf(daemonSet)).includes(CILIUM_LABEL));
}

async function daemonSetsOf(clients: Clients): Promise<V1DaemonSet[]> {
  const daemonSets = await Promise.all([CILIUM, CILIUM_ENVOY].map((name) => systemDaemonSet(clients, name)));
  return daemonSets.filter((daemonSet) => daemonSet !== undefined);
}

async function unconfined(clients: Clients): Promise<Blocker[]> {
  return (await daemonSetsOf(clients)).flatMap(lacks);
}

function lacks(daemonSet: V1DaemonSet): Blocker[] {
  const object = `DaemonSet ${KUBE_SYSTEM}/${daemonSet.metadata?.name}`;
  if (!hasInEveryTerm(affinityOf(daemonSet), ON_CILIUM_NODES)) {
    return [{ object, reason: `not every nodeSelectorTerm holds ${CILIUM_LABEL} In [cilium]`, todo: 'Something else writes it (GitOps?): stop that.' }];
  }
  // Until then its controller may still act on the affinity of before.
  if ((daemonSet.status?.observedGeneration ?? 0) < (daemonSet.metadata?.generation ?? 0)) return [{ object, reason: 'its newest state is not observed yet', todo: 'It is awaited.' }];
  return [];
}
