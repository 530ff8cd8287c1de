import { expect, it } from 'vitest';
import { ApiException } from '@kubernetes/client-node';
import type { V1Node } from '@kubernetes/client-node';
import type { Clients } from '../../../activities/clients/index.js';
import type { CiliateError } from '../../../domain/failures.js';
import { addTaint, removeTaint } from '../../../activities/kubernetes/taints.js';

interface Patch {
  name: string;
  body: { op: string; path: string; value?: unknown }[];
}

function clients(answer: () => Promise<V1Node> = () => Promise.resolve({})): { clients: Clients; patches: Patch[] } {
  const patches: Patch[] = [];
  const patchNode = (patch: Patch): Promise<V1Node> => {
    patches.push(patch);
    return answer();
  };
  return { clients: { kube: { core: { patchNode } } } as unknown as Clients, patches };
}

/** As the API client reads it: times are Dates. */
const node: V1Node = {
  metadata: { name: 'n', uid: 'u' },
  spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: new Date('2026-11-23T10:44:39.000Z') }] },
};
const asServed = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: '2026-11-23T10:44:39Z' };

it('a patch of taints tests them as the API server has them, times without milliseconds', async () => {
  const { clients: on, patches } = clients();
  expect(await addTaint(on, [node], { key: 'k', effect: 'NoSchedule' })).toEqual(['Node n: taint k']);
  expect(patches[0]?.body.slice(1)).toEqual([
    { op: 'test', path: '/spec/taints', value: [asServed] },
    { op: 'add', path: '/spec/taints', value: [asServed, { key: 'k', effect: 'NoSchedule' }] },
  ]);
  await removeTaint(on, [node], 'node.kubernetes.io/not-ready');
  expect(patches[1]?.body.at(-1)).toEqual({ op: 'remove', path: '/spec/taints' });
});

it('a patch that does not apply any more is tried again; an invalid one is not', async () => {
  const refused = (message: string) => clients(() => Promise.reject(new ApiException(422, message, { message }, {})));
  const add = (to: Clients) => addTaint(to, [node], { key: 'k', effect: 'NoSchedule' });
  await expect(add(refused('the server rejected our request due to an error in our request').clients)).rejects.toMatchObject({ kind: 'Transient', code: 'Conflict' } satisfies Partial<CiliateError>);
  await expect(add(refused('Node "n" is invalid: spec.taints[1].effect: Unsupported value').clients)).rejects.toBeInstanceOf(ApiException);
});

/** Applies patches as the API server does (evanphx/json-patch): a `test` of a missing path holds against null only. */
function served(now: V1Node): Clients {
  const live = structuredClone(now);
  const apply = ({ op, path, value }: Patch['body'][number]): void => {
    const at = path === '/metadata/uid' ? live.metadata?.uid : live.spec?.taints;
    if (op === 'test' && JSON.stringify(at ?? null) !== JSON.stringify(value)) throw new ApiException(422, 'Unprocessable Entity', { message: `testing value ${path} failed: test failed` }, {});
    if (op === 'add') live.spec = { ...live.spec, taints: value as NonNullable<V1Node['spec']>['taints'] };
  };
  const patchNode = ({ body }: Patch): Promise<V1Node> => {
    try {
      body.forEach(apply);
      return Promise.resolve(live);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return { kube: { core: { patchNode } } } as unknown as Clients;
}

it('a taint on a node that has none', async () => {
  const bare = { metadata: { name: 'n', uid: 'u' }, spec: {} };
  const on = served(bare);
  expect(await addTaint(on, [bare], { key: 'k', effect: 'NoSchedule' })).toEqual(['Node n: taint k']);
  expect((await on.kube.core.patchNode({ name: 'n', body: [] })).spec?.taints).toEqual([{ key: 'k', effect: 'NoSchedule' }]);
});

it("somebody's first taint, put there since the node was read, is not replaced: the node is read again", async () => {
  const theirs = { key: 'dedicated', effect: 'NoExecute' };
  const on = served({ metadata: { name: 'n', uid: 'u' }, spec: { taints: [theirs] } });
  const read = { metadata: { name: 'n', uid: 'u' }, spec: {} };
  await expect(addTaint(on, [read], { key: 'k', effect: 'NoSchedule' })).rejects.toMatchObject({ kind: 'Transient', code: 'Conflict' } satisfies Partial<CiliateError>);
  expect((await on.kube.core.patchNode({ name: 'n', body: [] })).spec?.taints).toEqual([theirs]);
});
