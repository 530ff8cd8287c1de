import type { V1Node } from '@kubernetes/client-node';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { each } from './each.js';
import { patchNode } from './patch.js';

export function hasTaint(node: V1Node, key: string): boolean {
  return (node.spec?.taints ?? []).some((taint) => taint.key === key);
}

/** Puts a taint on nodes that are known not to have it; returns a line for each. */
export function addTaint(clients: Clients, nodes: V1Node[], taint: { key: string; effect: string }): Promise<string[]> {
  return setTaints(clients, nodes, { key: taint.key, taints: (now) => [...now, taint] });
}

/** Takes a taint off nodes, whatever its effect; returns a line for each. */
export function removeTaint(clients: Clients, nodes: V1Node[], key: string): Promise<string[]> {
  return setTaints(clients, nodes, { key, taints: (now) => now.filter((taint) => taint.key !== key) });
}

type Taints = NonNullable<NonNullable<V1Node['spec']>['taints']>;

async function setTaints(clients: Clients, nodes: V1Node[], { key, taints }: { key: string; taints: (now: Taints) => Taints }): Promise<string[]> {
  const write = async (node: V1Node): Promise<string[]> => {
    const name = node.metadata?.name ?? '';
    const before = node.spec?.taints;
    const after = taints(before ?? []);
    try {
      await patchNode(clients, name, [
        { op: 'test', path: '/metadata/uid', value: node.metadata?.uid },
        // Others change taints too: never what was not read. A missing path holds against null, and null only:
        // https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go#L689
        { op: 'test', path: '/spec/taints', value: before === undefined ? null : before.map(withoutUndefined) },
        after.length === 0 ? { op: 'remove' as const, path: '/spec/taints' } : { op: 'add' as const, path: '/spec/taints', value: after.map(withoutUndefined) },
      ]);
      return [`Node ${name}: taint ${key}`];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  return (await each(nodes, write)).flat();
}

/** As the API server has it, times without milliseconds: a `test` compares whole values. */
function withoutUndefined(taint: Taints[number]): object {
  const said = Object.entries(taint).filter(([, value]) => value !== undefined) as [string, unknown][];
  return Object.fromEntries(said.map(([key, value]) => [key, value instanceof Date ? value.toISOString().replace(/\.\d+Z$/, 'Z') : value]));
}
