import { CiliateError } from '../../domain/failures.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { isChanged } from '../../domain/cilium/placement.js';
import { withoutKeys } from '../../domain/kubernetes/nodeAffinity.js';
import { AWS_NODE, CILIUM, CILIUM_LABEL, CILIUM_RELEASE, CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import { parseConfiguration, readAddon, updateAddonAffinity } from '../aws/addon.js';
import type { Clients } from '../clients/index.js';
import { readRelease, uninstallRelease } from '../helm/release.js';
import { affinityOf, setPlacement } from '../kubernetes/awsNode.js';
import { nodesOfCilium } from '../kubernetes/ciliumResources.js';
import { deleteCniLedger, readCniLedger } from '../kubernetes/cniLedger.js';
import type { CniLedger } from '../kubernetes/cniLedger.js';
import { listNodes, readAgents, systemDaemonSet } from '../kubernetes/lists.js';
import { unmarkCilium } from '../kubernetes/markCilium.js';
import { takeLabelOff } from '../kubernetes/patch.js';
import { withHelmTarget } from './helmTarget.js';

type Unwound = { unwound: boolean; why: string };

/**
 * Takes an install back while no node ever ran Cilium: uninstall, agents gone, a new look at the nodes, and only then
 * aws-node's affinity and the labels. Once a node runs (or ran) Cilium nothing is touched: with its old affinity aws-node would
 * come to every Cilium node at once.
 */
export async function unwindInstall(clients: Clients): Promise<Unwound> {
  const before = (await ranCilium(clients)) ?? (await awsNodeIsGone(clients));
  if (before !== null) return { unwound: false, why: `left as it is: ${before}` };
  await withHelmTarget(clients, async (target) => {
    if ((await readRelease(target)) !== null || target.lastAttempt !== null) await uninstallRelease(target);
  });
  await assertAgentsGone(clients);
  await assertNamespacesGone(clients);
  // A node may have come up on Cilium while it was being uninstalled.
  const after = await ranCilium(clients);
  if (after !== null) return { unwound: false, why: `Cilium was uninstalled, but aws-node was left confined: ${after}. Replace that node.` };
  const ledger = await readCniLedger(clients);
  await restoreAffinity(clients, ledger);
  const labels = (await removeLabels(clients, ledger)) + (await unmarkCilium(clients)).unmarked;
  await deleteCniLedger(clients);
  return { unwound: true, why: `Cilium uninstalled, aws-node as it was before, ${labels} labels removed` };
}

/** Why there is no way back by itself; null while no node has run Cilium. */
async function ranCilium(clients: Clients): Promise<string | null> {
  const agents = await readAgents(clients);
  const [running] = agents.ciliumPods.keys();
  if (running !== undefined) return `node ${running} runs Cilium`;
  const nodes = await nodesOfCilium(clients, await listNodes(clients), agents);
  return nodes.size === 0 ? null : `${nodes.size} CiliumNodes say that nodes have run Cilium`;
}

/** Then it must come back first: what is saved of it goes with the ledger. */
async function awsNodeIsGone(clients: Clients): Promise<string | null> {
  if ((await systemDaemonSet(clients, AWS_NODE)) !== undefined) return null;
  const { daemonSet, addon } = await readCniLedger(clients);
  return daemonSet === undefined && addon === undefined ? null : 'aws-node is gone and must be restored first';
}

/** Namespaces of the chart (cilium-secrets) go slowly; an install that comes too soon is refused in them. */
async function assertNamespacesGone(clients: Clients): Promise<void> {
  const { items } = await clients.kube.core.listNamespace();
  const leaving = items.find(({ metadata }) => metadata?.deletionTimestamp !== undefined && metadata.annotations?.['meta.helm.sh/release-name'] === CILIUM_RELEASE);
  if (leaving === undefined) return;
  throw new CiliateError('NotYet', `Namespace ${leaving.metadata?.name}: expected it to be gone after the uninstall, saw Terminating. It is awaited.`, { code: 'NotYet' });
}

async function assertAgentsGone(clients: Clients): Promise<void> {
  const daemonSet = await systemDaemonSet(clients, CILIUM);
  const { ciliumPods } = await readAgents(clients);
  if (daemonSet === undefined && ciliumPods.size === 0) return;
  throw new CiliateError('NotYet', `DaemonSet kube-system/${CILIUM}: expected it and its ${ciliumPods.size} agents to be gone after the uninstall. They are awaited.`, { code: 'NotYet' });
}

async function restoreAffinity(clients: Clients, ledger: CniLedger): Promise<void> {
  const owner = await readAddon(clients);
  if (owner !== undefined) {
    const now = parseConfiguration(owner.addon.configurationValues);
    const saved = parseConfiguration(ledger.addon?.configurationValues)['affinity'] as Affinity | undefined;
    // Chained, it was never ours to change: what differs there is somebody's newer wish.
    const ours = isChanged(now['affinity'] as Affinity | undefined) || ledger.strategy !== 'chain';
    if (ours && JSON.stringify(now['affinity']) !== JSON.stringify(saved)) await updateAddonAffinity(clients, owner, saved);
  }
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  // Without a saved original: the live terms less our expressions.
  const prior = ledger.daemonSet === undefined ? withoutKeys(daemonSet && affinityOf(daemonSet), [CNI_LABEL, CILIUM_LABEL]) : affinityOf(ledger.daemonSet);
  // With both as before its pods are of the revision of before: nothing rolls where nothing was replaced.
  if (daemonSet !== undefined && isChanged(affinityOf(daemonSet))) await setPlacement(clients, daemonSet, { affinity: prior, updateStrategy: ledger.daemonSet?.spec?.updateStrategy });
  // The labels go only once nothing confines aws-node to them any more: an update under way could still do so.
  const status = (await readAddon(clients))?.addon.status ?? 'ACTIVE';
  if (status !== 'ACTIVE') throw new CiliateError('NotYet', `EKS add-on vpc-cni: expected its update to be over, saw ${status}. It is awaited.`, { code: 'NotYet' });
}

/** Labels that we put, from the very nodes that we put them on. */
async function removeLabels(clients: Clients, ledger: CniLedger): Promise<number> {
  const ours = new Set(ledger.labels.map((entry) => entry.uid));
  let removed = 0;
  for (const node of await listNodes(clients, `${CNI_LABEL}=${CNI_LABEL_AWS}`)) {
    if (!ours.has(node.metadata?.uid ?? '')) continue;
    if (await takeLabelOff(clients, node, { key: CNI_LABEL, value: CNI_LABEL_AWS })) removed++;
  }
  return removed;
}
