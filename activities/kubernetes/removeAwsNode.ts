import type { V1Pod } from '@kubernetes/client-node';
import { isUserPod } from '../../domain/addOns.js';
import { MIRROR_ANNOTATION } from '../../domain/kubernetes/drain.js';
import { controllerOf, fullName, podFinished } from '../../domain/kubernetes/resources.js';
import { AWS_NODE, CNI_LABEL, CNI_LABEL_AWS, KUBE_SYSTEM, NO_CNI_TAINT } from '../../domain/names.js';
import { CiliateError } from '../../domain/failures.js';
import type { Look } from '../api.js';
import { deleteAddon, readAddon } from '../aws/addon.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { ownersOf } from '../drivers/owners.js';
import { look } from '../look.js';
import { listNodes, mapPods, readAgents, systemDaemonSet } from './lists.js';
import { hasTaint } from './taints.js';

/** Strategy clean takes aws-node away while nodes run it: nothing but add-ons may be there. */
export interface CleanRemoval {
  /** Namespaces of add-ons beside the known ones. */
  addOns: readonly string[];
}

/**
 * Deletes the add-on, then the DaemonSet, each only after looking again. The DaemonSet is deleted here only once the add-on is
 * gone: while EKS still deletes it, it takes the DaemonSet along by itself (lookAwsNodeGone sees to the rest).
 */
export async function removeAwsNode(clients: Clients, clean?: CleanRemoval): Promise<{ removed: string[] }> {
  const removed: string[] = [];
  const mayGo = clean === undefined ? () => assertUnneeded(clients) : () => assertClean(clients, clean);
  await mayGo();
  const owner = await readAddon(clients);
  if (owner !== undefined) {
    if (owner.addon.status !== 'DELETING') await deleteAddon(clients, owner.cluster);
    removed.push(`EKS add-on ${owner.addon.addonName} ${owner.addon.addonVersion}`);
  }
  await mayGo();
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

async function assertClean(clients: Clients, { addOns }: CleanRemoval): Promise<void> {
  const [agents, pods] = await Promise.all([readAgents(clients), mapPods(clients, (pod) => (isUsers(pod, addOns) ? { name: fullName(pod.metadata), node: pod.spec?.nodeName ?? '' } : undefined))]);
  const nodes = await listNodes(clients);
  // Pods on nodes that keep a network of their own are not counted, as they are not in preflight.
  const owners = await ownersOf(clients, nodes);
  const users = pods.filter(({ node }) => owners.get(node)?.leftOut === undefined).map(({ name }) => name);
  const open = nodes.filter((node) => agents.awsPods.has(node.metadata?.name ?? '') && !hasTaint(node, NO_CNI_TAINT)).map((node) => node.metadata?.name ?? '');
  if (users.length === 0 && open.length === 0) return;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`,
      expected: 'nothing but add-ons in the cluster, and every node of aws-node shut to new pods',
      seen: users.length > 0 ? `pods ${users.slice(0, 5).join(', ')}` : `nodes ${open.slice(0, 5).join(', ')} without ${NO_CNI_TAINT}`,
      todo: users.length > 0 ? 'Use strategy: replace, or name the namespaces of add-ons in spec.clean.addOns.' : 'They joined meanwhile: start the migration again.',
    },
    { code: 'NotClean' },
  );
}

function isUsers(pod: V1Pod, addOns: readonly string[]): boolean {
  const namespace = pod.metadata?.namespace ?? '';
  const mirror = pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
  return !podFinished(pod) && !mirror && !addOns.includes(namespace) && isUserPod({ namespace, controller: controllerOf(pod.metadata)?.kind });
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
