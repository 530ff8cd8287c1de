import { ApiException } from '@kubernetes/client-node';
import type { CoreV1Event, V1Node, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Drained, DrainRequest } from '../../../activities/api.js';
import type { Clients } from '../../../activities/clients/index.js';
import { toFailure } from '../../../activities/failures.js';
import { lookDrained } from '../../../activities/kubernetes/lookDrained.js';
import { drainSchema } from '../../../domain/spec/schema.js';

const ref = { name: 'ip-1', uid: 'node-uid', instanceId: 'i-1', group: 'g', zone: 'z' };
const request: DrainRequest = { target: { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' }, node: ref, drain: drainSchema.parse({}), known: '' };
const missing = () => Promise.reject(new ApiException(404, '', {}, {}));

interface At {
  name: string;
}

/** A node, its pods, and an API server that ends those whose eviction nothing refuses. */
class World {
  node: V1Node | undefined = { metadata: { name: ref.name, uid: ref.uid, labels: { 'cni-plugin': 'aws' } }, spec: { providerID: 'aws:///z/i-1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
  pods: V1Pod[] = [];
  budgets: V1PodDisruptionBudget[] = [];
  /** What the API server answers to the eviction of a pod, by name. */
  refusals: Record<string, { code: number; headers?: Record<string, string>; message: string; reason?: string; details?: object }> = {};
  /** Names of pods whose eviction was asked for, in order. */
  asked: string[] = [];
  told: CoreV1Event[] = [];

  pod(name: string, over: V1Pod['metadata'] = {}): V1Pod {
    const pod: V1Pod = {
      metadata: { namespace: 'shop', name, uid: `${name}-uid`, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 's', controller: true }], ...over },
      spec: { containers: [], nodeName: ref.name },
    };
    this.pods.push(pod);
    return pod;
  }

  get clients(): Clients {
    const core = {
      readNode: () => (this.node === undefined ? missing() : Promise.resolve(this.node)),
      listPodForAllNamespaces: () => Promise.resolve({ items: this.pods }),
      readNamespacedPod: ({ name }: At) => {
        const found = this.pods.find(({ metadata }) => metadata?.name === name);
        return found === undefined ? missing() : Promise.resolve(found);
      },
      createNamespacedPodEviction: ({ name }: At) => {
        this.asked.push(name);
        const refusal = this.refusals[name];
        if (refusal !== undefined) return Promise.reject(new ApiException(refusal.code, '', refusal, refusal.headers ?? {}));
        this.pods = this.pods.filter(({ metadata }) => metadata?.name !== name);
        return Promise.resolve({});
      },
      readNamespacedEvent: missing,
      createNamespacedEvent: ({ body }: { body: CoreV1Event }) => Promise.resolve(void this.told.push(body)),
    };
    const policy = {
      readNamespacedPodDisruptionBudget: ({ name }: At) => {
        const found = this.budgets.find(({ metadata }) => metadata?.name === name);
        return found === undefined ? missing() : Promise.resolve(found);
      },
    };
    const none = () => Promise.resolve({ items: [] });
    const admission = { listMutatingWebhookConfiguration: none, listValidatingWebhookConfiguration: none };
    const events = { closed: true, listen: () => ({ next: () => Promise.resolve(false), end: () => undefined }) };
    return { kube: { core, policy, admission, make: () => ({ listVolumeAttachment: none }) }, events } as unknown as Clients;
  }

  /** One attempt, with what the one before carried. */
  async attempt(over: Partial<DrainRequest> = {}): Promise<Drained> {
    const environment = new MockActivityEnvironment({ heartbeatDetails: this.#carried, scheduledTimestampMs: Date.now() - 50_000 });
    environment.on('heartbeat', (details: unknown) => (this.#carried = details));
    return (await environment.run(() => lookDrained(this.clients, { ...request, ...over }))) as Drained;
  }
  #carried: unknown;
}

describe('a drain', () => {
  it('goes on with the pods after one that a webhook keeps', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.pod(name);
    world.refusals['a'] = { code: 403, reason: 'Forbidden', message: 'admission webhook "x" denied the request: no' };
    const { seen, evicted } = await world.attempt();
    expect(evicted).toBe(2);
    expect(world.asked).toEqual(['a', 'b', 'c']);
    // Asked for again after a while only: a webhook that does not answer would take the time of all the others.
    await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual(['a', 'b', 'c']);
  });
});

describe('Retry-After', () => {
  const budget = (over: object): V1PodDisruptionBudget => ({ metadata: { namespace: 'shop', name: 'cart', generation: 2 }, status: { observedGeneration: 2, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 0, ...over } });
  const refusal = (seconds: number) => ({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}), causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget cart is still being processed by the server.' }] },
  });
  const holding = (seconds: number): World => {
    const world = new World();
    world.pod('cart-0');
    world.pod('going', { deletionTimestamp: new Date() });
    world.budgets = [budget({})];
    world.refusals['cart-0'] = refusal(seconds);
    return world;
  };

  it('of a refused pod is kept, over attempts: the pod is not asked for meanwhile, yet shown', async () => {
    const world = holding(10);
    const { seen } = await world.attempt();
    for (let times = 0; times < 3; times++) await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet', retryAfterMs: undefined, message: expect.stringMatching(/Pod shop\/cart-0: PDB shop\/cart needs 1 healthy, has 1/) as string });
    expect(world.asked).toEqual(['cart-0']);
  });

  it('is over when it is over', async () => {
    const world = holding(0.05);
    const { seen } = await world.attempt();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual(['cart-0', 'cart-0']);
  });

  it.each([
    ['that has come free', [budget({ disruptionsAllowed: 1 })]],
    ['that is not there any more', []],
  ])('does not keep a pod whose budget is one %s', async (_name, budgets) => {
    const world = holding(10);
    const { seen } = await world.attempt();
    Object.assign(world, { budgets, refusals: {} });
    await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual(['cart-0', 'cart-0']);
    expect(world.pods.map(({ metadata }) => metadata?.name)).toEqual(['going']);
  });

  it('of a budget that its controller has not looked at since it changed is kept', async () => {
    const world = holding(10);
    const { seen } = await world.attempt();
    world.budgets = [{ ...budget({ disruptionsAllowed: 1, observedGeneration: 1 }) }];
    await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual(['cart-0']);
  });

  it('none: the pod is asked for in every pass, as budgets come and go', async () => {
    const world = holding(0);
    const { seen } = await world.attempt();
    await expect(world.attempt({ known: seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual(['cart-0', 'cart-0']);
  });

  it('of an API server that has too much to do ends the evictions, and the server says when to come again', async () => {
    const world = holding(0);
    for (let index = 0; index < 20; index++) world.pod(`later-${index}`);
    world.refusals['cart-0'] = { code: 429, headers: { 'retry-after': '3' }, message: 'Too many requests, please try again later.' };
    const failure = await world.attempt().catch((error: unknown) => error);
    expect(toFailure(failure)).toMatchObject({ type: 'Throttled', nonRetryable: false, nextRetryDelay: 3_000 });
    // Those that were asked for beside it are through by then, and no other is begun.
    expect(world.asked[0]).toBe('cart-0');
    expect(world.asked.length).toBeLessThanOrEqual(5);
  });
});

describe('a pod that terminates for too long', () => {
  const due = new Date(Date.now() - 90_000);

  it('is told with since when, on the Node too, but is none that could be forced: it is deleted already', async () => {
    const world = new World();
    world.pod('late', { deletionTimestamp: due, deletionGracePeriodSeconds: 30 });
    world.pod('young', { deletionTimestamp: new Date(), deletionGracePeriodSeconds: 30 });
    const seen = await world.attempt();
    expect(seen).toMatchObject({
      done: false,
      blocking: [],
      blockers: [
        { object: 'Pod shop/late', reason: expect.stringContaining('owner StatefulSet cart') as string, firm: true, since: due.toISOString() },
        { object: 'Node ip-1', reason: '1 pods are terminating (shop/young)' },
      ],
    });
    expect(world.told.map(({ type, message }) => `${type} ${message}`)).toEqual([expect.stringContaining(`Warning The drain is blocked: Pod shop/late: it was told to end at`) as string]);
    // Nothing new: it is waited for without a word.
    await expect(world.attempt({ known: seen.seen })).rejects.toMatchObject({ kind: 'NotYet', message: expect.stringContaining('Pod shop/late') as string });
    world.pods = world.pods.filter(({ metadata }) => metadata?.name !== 'late');
    expect(await world.attempt({ known: seen.seen })).toMatchObject({ done: false, blockers: [{ object: 'Node ip-1' }] });
    expect(world.told.at(-1)).toMatchObject({ reason: 'CiliateDrainContinues' });
    expect(world.asked).toEqual([]);
  });
});

describe('a Node with another UID', () => {
  const anew = (over: Partial<V1Node>): World => {
    const world = new World();
    world.pod('a');
    world.node = { ...world.node, metadata: { ...world.node?.metadata, uid: 'another' }, ...over };
    return world;
  };

  it('of another instance, or none at all, is the end of the drain', async () => {
    const world = anew({ spec: { providerID: 'aws:///z/i-2' } });
    expect(await world.attempt()).toMatchObject({ done: true, evicted: 0 });
    expect(await world.attempt()).not.toHaveProperty('gone');
    world.node = undefined;
    expect(await world.attempt()).toMatchObject({ done: true });
    expect(world.asked).toEqual([]);
  });

  it('of this instance was not drained: the node is let go of, and comes again as that', async () => {
    const world = anew({});
    expect(await world.attempt()).toMatchObject({ done: true, evicted: 0, gone: 'instance i-1 registered anew as Node ip-1 with UID another' });
    expect(world.asked).toEqual([]);
  });

  it('of this instance without the label is a person\'s', async () => {
    const world = anew({ metadata: { name: ref.name, uid: 'another' } });
    await expect(world.attempt()).rejects.toMatchObject({ kind: 'Permanent', code: 'RegisteredAnew', message: expect.stringMatching(/UID another, without the label cni-plugin/) as string });
    expect(world.asked).toEqual([]);
  });

  it('of this instance is no person\'s where it is one too many: it has no label in any case', async () => {
    const world = anew({ metadata: { name: ref.name, uid: 'another' } });
    expect(await world.attempt({ surplus: true })).toMatchObject({ done: true, gone: expect.stringContaining('registered anew') as string });
  });

  it('that does not say its instance yet is awaited', async () => {
    const world = anew({ spec: {} });
    const seen = await world.attempt();
    expect(seen).toMatchObject({ done: false, blockers: [{ object: 'Node ip-1' }] });
    await expect(world.attempt({ known: seen.seen })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.asked).toEqual([]);
  });

  it('names no more pods at a time than every status can carry', async () => {
    const world = new World();
    const many = Array.from({ length: 50 }, (_, index) => world.pod(`scratch-${index}`));
    for (const pod of many) pod.spec = { containers: [], nodeName: ref.name, volumes: [{ name: 'v', emptyDir: {} }] };
    const seen = await lookDrained(world.clients, { ...request, drain: drainSchema.parse({ emptyDir: 'block' }) });
    expect([seen.blockers.length, seen.blocking.length]).toEqual([10, 20]);
    expect(seen.blockers.at(-1)?.object).toBe('41 more');
  });
});
