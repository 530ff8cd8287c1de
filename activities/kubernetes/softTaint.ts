import type { V1Node } from '@kubernetes/client-node';
import { oldSelector } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { SOFT_TAINT } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import { listNodes } from './lists.js';
import { addTaint, hasTaint, removeTaint } from './taints.js';

/**
 * The soft taint on every node that is still to be refreshed: an evicted pod goes to a new node where it can, and so moves
 * once. Its key is ours alone, so no ledger is needed to know what to take back.
 */
export async function holdSoftTaint(clients: Clients, direction: Direction): Promise<string[]> {
  const old = await listNodes(clients, oldSelector(direction));
  return putOn(clients, old.filter((node) => !isTainted(node)));
}

export async function giveBackSoftTaint(clients: Clients): Promise<string[]> {
  return takeOff(clients, (await listNodes(clients)).filter(isTainted));
}

/** Has the soft taint on the nodes of these names and on no other: evicted pods go to those that stay. */
export async function moveSoftTaint(clients: Clients, seen: readonly V1Node[], names: ReadonlySet<string>): Promise<void> {
  const misplaced = (node: V1Node): boolean => isTainted(node) !== names.has(node.metadata?.name ?? '');
  if (!seen.some(misplaced)) return;
  const wrong = (await listNodes(clients)).filter(misplaced);
  await takeOff(clients, wrong.filter(isTainted));
  await putOn(clients, wrong.filter((node) => !isTainted(node)));
}

function isTainted(node: V1Node): boolean {
  return hasTaint(node, SOFT_TAINT);
}

function putOn(clients: Clients, nodes: V1Node[]): Promise<string[]> {
  return addTaint(clients, nodes, { key: SOFT_TAINT, effect: 'PreferNoSchedule' });
}

function takeOff(clients: Clients, nodes: V1Node[]): Promise<string[]> {
  return removeTaint(clients, nodes, SOFT_TAINT);
}
