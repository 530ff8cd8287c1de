import { setTimeout as sleep } from 'node:timers/promises';
import { ApiException } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { DrainMemory } from '../../../activities/kubernetes/drainMemory.js';
import { evictTiers } from '../../../activities/kubernetes/evictTiers.js';
import type { WebhookServices } from '../../../activities/kubernetes/webhookBackends.js';
import { TIERS } from '../../../domain/kubernetes/drain.js';
import { drainSchema } from '../../../domain/spec/schema.js';

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 's', controller: true };
const pods = (count: number): V1Pod[] => Array.from({ length: count }, (_, index) => ({ metadata: { namespace: 'shop', name: `cart-${index}`, uid: `uid-${index}`, ownerReferences: [owner] } }));
const ordinary = (some: V1Pod[]) => some.map((pod) => ({ pod, tier: TIERS.ordinary }));

/** An API server that takes a moment for each eviction. */
class Server {
  asked: string[] = [];
  underWay = 0;
  most = 0;
  /** Pods whose eviction fails at once, since the server is away. */
  away = new Set<string>();
  /** UIDs of the ready backends of the only Service behind a webhook. */
  backends: string[] = [];

  get clients(): Clients {
    const core = { createNamespacedPodEviction: ({ name }: { name: string }) => this.#evict(name) };
    const slices = { items: [{ endpoints: this.backends.map((uid) => ({ conditions: { ready: true }, targetRef: { uid } })) }] };
    return { kube: { core, make: () => ({ listNamespacedEndpointSlice: () => sleep(5, slices) }) } } as unknown as Clients;
  }

  async #evict(name: string): Promise<object> {
    this.asked.push(name);
    if (this.away.has(name)) throw new ApiException(503, '', { message: 'away' }, {});
    this.most = Math.max(this.most, ++this.underWay);
    await sleep(20);
    this.underWay--;
    return {};
  }
}

function means(services: object[] = []) {
  const named = { of: () => Promise.resolve(services) } as unknown as WebhookServices;
  return { ref: { name: 'ip-1', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'z' }, drain: drainSchema.parse({}), memory: new DrainMemory([]), services: named };
}

describe('evictions of one node', () => {
  it('are five at a time, each pod once', async () => {
    const server = new Server();
    const pass = await evictTiers(server.clients, ordinary(pods(23)), means());
    expect(server.most).toBe(5);
    expect(new Set(server.asked).size).toBe(23);
    expect(pass.leaving).toHaveLength(23);
  });

  it('have all ended where one fails, and no other is begun', async () => {
    const server = new Server();
    server.away.add('cart-1');
    const mine = means();
    await expect(evictTiers(server.clients, ordinary(pods(23)), mine)).rejects.toMatchObject({ code: 503 });
    expect(server.underWay).toBe(0);
    expect(server.asked.length).toBeLessThanOrEqual(6);
    expect(mine.memory.evicted).toBe(server.asked.length - 1);
  });

  it('never take the last two backends of a webhook at once', async () => {
    const server = new Server();
    server.backends = ['uid-0', 'uid-1', 'uid-2'];
    const pass = await evictTiers(server.clients, ordinary(pods(3)), means([{ webhook: 'w', namespace: 'shop', name: 'hook' }]));
    expect(pass.leaving).toEqual(['shop/cart-0', 'shop/cart-1']);
    expect(pass.refused.map(({ cause, pod }) => [cause, pod.metadata?.name])).toEqual([['webhook', 'cart-2']]);
  });

  it('of critical pods wait while an ordinary one stays', async () => {
    const server = new Server();
    server.backends = ['uid-0'];
    const [first, second] = pods(2);
    const pass = await evictTiers(server.clients, [{ pod: first ?? {}, tier: TIERS.ordinary }, { pod: second ?? {}, tier: TIERS.critical }], means([{ webhook: 'w', namespace: 'shop', name: 'hook' }]));
    expect(server.asked).toEqual([]);
    expect(pass).toMatchObject({ left: 2, leaving: [], staying: [{ metadata: { name: 'cart-0' } }, { metadata: { name: 'cart-1' } }] });
  });
});
