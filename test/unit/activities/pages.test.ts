import { ApiException } from '@kubernetes/client-node';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { allPages, mapCustomPages, mapPages } from '../../../activities/clients/pages.js';
import type { PageOptions } from '../../../activities/clients/pages.js';
import { listNodes, systemPods } from '../../../activities/kubernetes/lists.js';
import { podReady } from '../../../domain/kubernetes/resources.js';

/** Some items on each page, as an API server gives them: how many is its matter. */
const pages = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 6 });

function server(all: readonly number[][]) {
  const asked: PageOptions[] = [];
  const at = (page: PageOptions): { items: number[]; next: string | undefined } => {
    asked.push(page);
    const index = Number(page._continue ?? 0);
    return { items: all[index] ?? [], next: index + 1 < all.length ? String(index + 1) : undefined };
  };
  return { asked, at };
}

describe('a list', () => {
  it('is read to its end, page by page, in its order', async () => {
    await fc.assert(
      fc.asyncProperty(pages, async (all) => {
        const { asked, at } = server(all);
        const typed = (page: PageOptions) => {
          const { items, next } = at(page);
          // The last page says nothing, or an empty text.
          return Promise.resolve({ items, metadata: { _continue: next ?? (all.length % 2 === 0 ? '' : undefined) } });
        };
        expect(await allPages(typed)).toEqual(all.flat());
        expect(asked.map(({ _continue }) => _continue)).toEqual(all.map((_, index) => (index === 0 ? undefined : String(index))));
        expect(await mapPages(typed, (item) => item + 1)).toEqual(all.flat().map((item) => item + 1));
        const custom = (page: PageOptions) => {
          const { items, next } = at(page);
          return Promise.resolve({ items, metadata: { continue: next } });
        };
        expect(await mapCustomPages(custom, (item: number) => item)).toEqual(all.flat());
      }),
    );
  });

  it('of custom objects is empty where there is no such kind, and fails where it is forbidden', async () => {
    const refused = (code: number) => () => Promise.reject(new ApiException(code, '', {}, {}));
    expect(await mapCustomPages(refused(404), (item) => item)).toEqual([]);
    await expect(mapCustomPages(refused(403), (item) => item)).rejects.toMatchObject({ code: 403 });
  });
});

describe('of what there is one on each node', () => {
  const node: V1Node = { metadata: { name: 'ip-1', managedFields: [{ manager: 'kubelet' }] }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }], images: [{ names: ['a'] }] } };
  const pod: V1Pod = {
    metadata: { name: 'cilium-a', labels: { 'k8s-app': 'cilium' }, managedFields: [{ manager: 'kubelet' }] },
    spec: { nodeName: 'ip-1', tolerations: [{ operator: 'Exists' }], volumes: [{ name: 'run' }], containers: [{ name: 'cilium-agent', image: 'cilium:1', env: [{ name: 'A' }] }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [] },
  };
  const core = { listNode: () => Promise.resolve({ items: [node] }), listNamespacedPod: () => Promise.resolve({ items: [pod] }) };
  const clients = { kube: { core } } as unknown as Clients;

  it('nodes are held without the images they have pulled', async () => {
    expect(await listNodes(clients)).toEqual([{ ...node, status: { addresses: node.status?.addresses } }]);
  });

  it('agents are held without what only their kubelet needs', async () => {
    const [held] = await systemPods(clients, 'k8s-app=cilium');
    expect(held).toEqual({
      metadata: { name: 'cilium-a', labels: { 'k8s-app': 'cilium' } },
      spec: { nodeName: 'ip-1', tolerations: [{ operator: 'Exists' }], containers: [{ name: 'cilium-agent', image: 'cilium:1' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
    expect(held !== undefined && podReady(held)).toBe(true);
  });
});
