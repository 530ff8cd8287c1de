import { ApiException } from '@kubernetes/client-node';
import type { V1Node } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { toCilium } from '../../../domain/directions/toCilium.js';
import { lookNodeGone } from '../../../activities/kubernetes/lookGone.js';

const ref = { name: 'ip-1', uid: 'u-1', instanceId: 'i-1', group: 'g', zone: 'z' };
const node: V1Node = { metadata: { name: 'ip-1', uid: 'u-1', labels: { 'cni-plugin': 'aws' } }, spec: { providerID: 'aws:///z/i-1' } };
const gone = () => Promise.reject(new ApiException(404, 'x', '{}', {}));
const world = (core: object): Clients => ({ kube: { core } }) as unknown as Clients;
const at = { terminatedAt: new Date().toISOString(), known: '', direction: toCilium };

it('a Node that goes between the read and the write is only awaited', async () => {
  const seen = await lookNodeGone(world({ readNode: () => Promise.resolve(node), patchNode: gone }), ref, at);
  expect(seen.done).toBe(false);
  expect(await lookNodeGone(world({ readNode: gone }), ref, at)).toMatchObject({ done: true });
});

it('the Node of a dead instance loses its label at once, tested for its UID and instance', async () => {
  const patches: object[] = [];
  await lookNodeGone(world({ readNode: () => Promise.resolve(node), patchNode: ({ body }: { body: object[] }) => Promise.resolve(patches.push(...body)) }), ref, at);
  expect(patches).toEqual([
    { op: 'test', path: '/metadata/uid', value: 'u-1' },
    { op: 'test', path: '/spec/providerID', value: 'aws:///z/i-1' },
    { op: 'remove', path: '/metadata/labels/cni-plugin' },
  ]);
});

it('and another node of that name is none of ours', async () => {
  const other = { ...node, spec: { providerID: 'aws:///z/i-2' } };
  expect(await lookNodeGone(world({ readNode: () => Promise.resolve(other), patchNode: () => Promise.reject(new Error('touched')) }), ref, at)).toMatchObject({ done: true });
});
