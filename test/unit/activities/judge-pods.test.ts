import { ApiException } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { judgePods } from '../../../activities/kubernetes/judgePods.js';

const pod = (name: string, over: Partial<V1Pod> = {}): V1Pod => ({ metadata: { namespace: 'shop', name }, spec: { containers: [] }, status: { phase: 'Running' }, ...over });

/** A node with these pods; `known` have a CiliumEndpoint. */
async function judged(pods: V1Pod[], known: string[], { used = [] as string[], maxPods = 29 } = {}): Promise<string[]> {
  const kube = {
    core: { listPodForAllNamespaces: ({ fieldSelector }: { fieldSelector: string }) => Promise.resolve({ items: fieldSelector === 'spec.nodeName=new' ? pods : [] }) },
    custom: { getNamespacedCustomObject: ({ name }: { name: string }) => (known.includes(name) ? Promise.resolve({}) : Promise.reject(new ApiException(404, '', {}, {}))) },
  };
  const ciliumNode = { spec: { ipam: { pool: { '10.0.0.8': {}, '10.0.0.9': {} } } }, status: { ipam: { used: Object.fromEntries(used.map((address) => [address, {}])) } } };
  const blockers = await judgePods({ kube } as unknown as Clients, { metadata: { name: 'new' }, status: { allocatable: { pods: String(maxPods) } } }, ciliumNode);
  return blockers.map(({ object, reason }) => `${object}: ${reason}`);
}

it('a new node whose pods are all of Cilium is fine', async () => {
  const host = pod('host', { spec: { hostNetwork: true, containers: [] } });
  const going = pod('going', { metadata: { namespace: 'shop', name: 'going', deletionTimestamp: new Date() } });
  const starting = pod('starting', { status: { phase: 'Pending' } });
  const over = pod('over', { status: { phase: 'Succeeded' } });
  expect(await judged([pod('cart'), host, going, starting, over], ['cart'])).toEqual([]);
});

it('one pod that another CNI networked is named', async () => {
  expect(await judged([pod('cart'), pod('early')], ['cart'])).toEqual(['Pods: 1 on node new without a CiliumEndpoint: shop/early']);
});

it('addresses that are all in use are none, unless no more pods fit anyway', async () => {
  const used = ['10.0.0.8', '10.0.0.9'];
  expect(await judged([pod('cart')], ['cart'], { used })).toEqual(['CiliumNode new: has no free address: all 2 are in use']);
  expect(await judged([pod('cart')], ['cart'], { used: ['10.0.0.8'] })).toEqual([]);
  expect(await judged([pod('cart'), pod('web')], ['cart', 'web'], { used, maxPods: 2 })).toEqual([]);
});
