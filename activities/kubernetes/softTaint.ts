import type { V1Node } from '@kubernetes/client-node';
import { oldSelector } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { SOFT_TAINT } from '../../domain/names.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { each } from './each.js';
import { listNodes } from './lists.js';
import { patchNode } from './patch.js';

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
  return (node.spec?.taints ?? []).some(({ key }) => key === SOFT_TAINT);
}

function putOn(clients: Clients, nodes: V1Node[]): Promise<string[]> {
  return setTaints(clients, nodes, (node) => [...(node.spec?.taints ?? []), { key: SOFT_TAINT, effect: 'PreferNoSchedule' }]);
}

function takeOff(clients: Clients, nodes: V1Node[]): Promise<string[]> {
  return setTaints(clients, nodes, (node) => (node.spec?.taints ?? []).filter(({ key }) => key !== SOFT_TAINT));
}

type Taints = NonNullable<NonNullable<V1Node['spec']>['taints']>;

async function setTaints(clients: Clients, nodes: V1Node[], taints: (node: V1Node) => Taints): Promise<string[]> {
  const write = async (node: V1Node): Promise<string[]> => {
    const name = node.metadata?.name ?? '';
    const before = node.spec?.taints;
    const after = taints(node);
    try {
      await patchNode(clients, name, [
        { op: 'test', path: '/metadata/uid', value: node.metadata?.uid },
        // Others change taints too: never what was not read.
        ...(before === undefined ? [] : [{ op: 'test' as const, path: '/spec/taints', value: before.map(withoutUndefined) }]),
        after.length === 0 ? { op: 'remove' as const, path: '/spec/taints' } : { op: 'add' as const, path: '/spec/taints', value: after.map(withoutUndefined) },
      ]);
      return [`Node ${name}: taint ${SOFT_TAINT}`];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  return (await each(nodes, write)).flat();
}

/** As the API server has it: a `test` compares whole values. */
function withoutUndefined(taint: Taints[number]): object {
  return Object.fromEntries(Object.entries(taint).filter(([, value]) => value !== undefined));
}
