import { AWS_NODE, CNI_LABEL, CNI_LABEL_AWS, KUBE_SYSTEM } from '../../domain/names.js';
import { CiliateError } from '../../domain/failures.js';
import type { Look } from '../api.js';
import { deleteAddon, readAddon } from '../aws/addon.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { listNodes, readAgents, systemDaemonSet } from './lists.js';

/**
 * Deletes the add-on, then the DaemonSet, each only after looking again. The DaemonSet is deleted here only once the add-on is
 * gone: while EKS still deletes it, it takes the DaemonSet along by itself (lookAwsNodeGone sees to the rest).
 */
export async function removeAwsNode(clients: Clients): Promise<{ removed: string[] }> {
  const removed: string[] = [];
  await assertUnneeded(clients);
  const owner = await readAddon(clients);
  if (owner !== undefined) {
    if (owner.addon.status !== 'DELETING') await deleteAddon(clients, owner.cluster);
    removed.push(`EKS add-on ${owner.addon.addonName} ${owner.addon.addonVersion}`);
  }
  await assertUnneeded(clients);
  if (await deleteDaemonSet(clients)) removed.push(`DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`);
  return { removed };
}

/** Done when add-on and DaemonSet are gone. */
export async function lookAwsNodeGone(clients: Clients, known: string): Promise<Look> {
  const owner = await readAddon(clients);
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  const blockers = [
    ...(owner === undefined
      ? []
      : [
          {
            object: `EKS add-on ${owner.addon.addonName}`,
            reason: `is ${owner.addon.status}`,
            todo: `aws eks describe-addon --cluster-name ${owner.cluster} --addon-name ${owner.addon.addonName}`,
          },
        ]),
    ...(daemonSet === undefined ? [] : [{ object: `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`, reason: 'is still there', todo: 'Something puts it back, or a finalizer holds it.' }]),
  ];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers, extra: {} });
}

async function assertUnneeded(clients: Clients): Promise<void> {
  const [nodes, agents] = await Promise.all([listNodes(clients, `${CNI_LABEL}=${CNI_LABEL_AWS}`), readAgents(clients)]);
  const needing = [...new Set([...nodes.map((node) => node.metadata?.name ?? ''), ...agents.awsPods.keys()])];
  const desired = agents.awsNode?.status?.desiredNumberScheduled ?? 0;
  if (needing.length === 0 && desired === 0) return;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`,
      expected: 'no node that needs it',
      seen: `it desires ${desired} pods; needed by ${needing.slice(0, 5).join(', ') || 'unknown nodes'}`,
      todo: 'Find out where those nodes come from (a label of the node group?), then start the migration again: it refreshes them.',
    },
    { code: 'AwsNodeNeeded' },
  );
}

async function deleteDaemonSet(clients: Clients): Promise<boolean> {
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  if (daemonSet === undefined || daemonSet.metadata?.deletionTimestamp !== undefined) return false;
  const { uid, resourceVersion } = daemonSet.metadata ?? {};
  try {
    await clients.kube.apps.deleteNamespacedDaemonSet({ namespace: KUBE_SYSTEM, name: AWS_NODE, body: { preconditions: { uid, resourceVersion }, propagationPolicy: 'Foreground' } });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
