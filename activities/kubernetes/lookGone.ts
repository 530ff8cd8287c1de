import type { V1Node } from '@kubernetes/client-node';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { isOld } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Look } from '../api.js';
import { recentInstances } from '../aws/recent.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { driversOf } from '../drivers/find.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { patchNode, pointer } from './patch.js';

/** So long the cloud controller has to remove the Node of a dead instance; sooner would hide that the instance lives on. */
const NODE_GRACE_MS = 60_000;

/** Done when EC2 says terminated, or does not know the instance any more. */
export async function lookTerminated(clients: Clients, ref: NodeRef, known: string): Promise<Look & { terminatedAt: string | null }> {
  const [instance] = await recentInstances(clients, [ref.instanceId]);
  // EC2 forgets an instance about an hour after its end.
  const state = instance === undefined ? 'terminated' : (instance.State?.Name ?? 'terminated');
  const done = state === 'terminated';
  const blockers = done ? [] : [{ object: `Instance ${ref.instanceId}`, reason: `is ${state}`, todo: await awaited(clients, ref) }];
  // The time at which it was seen, not the one that EC2 gives: the grace must never be shorter than it says.
  return look({ known, done, blockers, seenOf: state, extra: { terminatedAt: done ? new Date().toISOString() : null } });
}

/** A node of no pool has ended as well. */
async function awaited(clients: Clients, { group }: NodeRef): Promise<string> {
  return (await driversOf(clients, [group])).get(group)?.lingering?.(group) ?? 'It is awaited.';
}

interface At {
  terminatedAt: string;
  known: string;
  direction: Direction;
}

/** Done when the Node is gone. It is deleted by us only after the grace, and only while it is that instance's. */
export function lookNodeGone(clients: Clients, ref: NodeRef, at: At): Promise<Look> {
  return linger(clients, (event) => event.kind === 'Node' && event.object.metadata?.name === ref.name, () => nodeGonePass(clients, ref, at));
}

async function nodeGonePass(clients: Clients, ref: NodeRef, at: At): Promise<Look> {
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  // A new node may have its address, hence its name, but neither its UID nor its instance.
  if (node === undefined || node.metadata?.uid !== ref.uid || instanceIdOf(node) !== ref.instanceId) {
    return look({ known: at.known, done: true, blockers: [], seenOf: 'gone', extra: {} });
  }
  await unlabel(clients, node, at.direction);
  const left = Date.parse(at.terminatedAt) + NODE_GRACE_MS - Date.now();
  if (left <= 0 && node.metadata.deletionTimestamp === undefined) await deleteNode(clients, ref);
  const blockers = [
    left > 0
      ? { object: `Node ${ref.name}`, reason: `is still there; its instance ${ref.instanceId} is terminated`, todo: 'The cloud controller has a minute to remove it; then it is deleted.' }
      : { object: `Node ${ref.name}`, reason: 'is being deleted', todo: `It is awaited; finalizers may hold it: kubectl get node ${ref.name} -o yaml` },
  ];
  return look({ known: at.known, done: false, blockers, seenOf: left > 0 ? 'grace' : 'deleting', extra: {} });
}

/**
 * A dead instance needs no agent. A new one that gets its address takes this Node over, labels and all (a kubelet keeps
 * a Node of its name): it would come up on the old agent, and change to the new one under its pods when this Node goes.
 */
async function unlabel(clients: Clients, node: V1Node, direction: Direction): Promise<void> {
  const { name = '', uid, labels = {} } = node.metadata ?? {};
  if (!isOld(direction, labels)) return;
  try {
    await patchNode(clients, name, [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/spec/providerID', value: node.spec?.providerID },
      { op: 'remove', path: pointer('metadata', 'labels', direction.label.key) },
    ]);
  } catch (error) {
    // The cloud controller was faster: that is what is awaited here.
    if (!isNotFound(error)) throw error;
  }
}

async function deleteNode(clients: Clients, ref: NodeRef): Promise<void> {
  try {
    await clients.kube.core.deleteNode({ name: ref.name, body: { preconditions: { uid: ref.uid } } });
  } catch (error) {
    // A conflict: another node has that name by now.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
