import { ApiException } from '@kubernetes/client-node';
import type { V1DaemonSet, V1Deployment, V1DeploymentSpec, V1OwnerReference, V1Pod, V1PodDisruptionBudget, V1StatefulSet } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { lookChained } from '../../../activities/kubernetes/lookChained.js';
import { lookRestarted } from '../../../activities/kubernetes/restart/lookRestarted.js';
import { nextRestart } from '../../../activities/kubernetes/restart/nextRestart.js';

const MARK = 'run-1';
const AT = 'kubectl.kubernetes.io/restartedAt';
const BY = 'ciliate.io/restarted-by';
const hours = (ago: number): Date => new Date(Date.now() - ago * 3_600_000);
const labels = { app: 'cart' };
const refuse = (code: number, body: object = {}) => Promise.reject(new ApiException(code, '', body, {}));
const owned = (kind: string, name: string, apiVersion = 'apps/v1') => [{ apiVersion, kind, name, uid: 'u', controller: true }];

interface At {
  namespace: string;
  name: string;
}

/** A cluster's API, as far as restarts ask it. Writes are logged. */
class World {
  pods: V1Pod[] = [];
  endpoints = new Set<string>();
  deployments: V1Deployment[] = [];
  statefulSets: V1StatefulSet[] = [];
  daemonSets: V1DaemonSet[] = [];
  replicaSets = [
    { metadata: { namespace: 'shop', name: 'cart-1', ownerReferences: owned('Deployment', 'cart') } },
    { metadata: { namespace: 'kube-system', name: 'coredns-1', ownerReferences: owned('Deployment', 'coredns') } },
  ];
  budgets: V1PodDisruptionBudget[] = [];
  writes: string[] = [];
  patches: { body: object; contentType: string | undefined }[] = [];
  /** What the API server answers to the next patch or eviction. */
  refusal: (() => Promise<never>) | undefined;
  agentReadySince = hours(1);

  pod(name: string, over: { namespace?: string; owner?: V1OwnerReference[]; node?: string; host?: boolean; ready?: boolean; mirror?: boolean; created?: Date } = {}): V1Pod {
    const { namespace = 'shop', owner = owned('ReplicaSet', 'cart-1'), node = 'ip-1', host, ready = true, mirror, created = hours(2) } = over;
    const pod: V1Pod = {
      metadata: { namespace, name, uid: `uid-${name}`, labels, ownerReferences: owner, creationTimestamp: created, ...(mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}) },
      spec: { containers: [], nodeName: node, hostNetwork: host },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    };
    this.pods.push(pod);
    return pod;
  }

  deployment(over: Partial<V1DeploymentSpec> = {}, status: object = {}): V1Deployment {
    const deployment: V1Deployment = {
      metadata: { namespace: 'shop', name: 'cart', generation: 1, resourceVersion: '7' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: {}, ...over },
      status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, ...status },
    };
    this.deployments.push(deployment);
    return deployment;
  }

  budget(status: object, name = 'cart'): void {
    this.budgets.push({ metadata: { namespace: 'shop', name, generation: 1 }, spec: { selector: { matchLabels: labels } }, status: { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1, ...status } });
  }

  get clients(): Clients {
    const find = <T extends { metadata?: { namespace?: string; name?: string } }>(items: T[]) => ({ namespace, name }: At): Promise<T> => {
      const found = items.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
      return found === undefined ? refuse(404) : Promise.resolve(found);
    };
    const within = <T extends { metadata?: { namespace?: string } }>(items: T[]) => ({ namespace }: { namespace: string }) => Promise.resolve({ items: items.filter(({ metadata }) => metadata?.namespace === namespace) });
    const refused = (): Promise<never> | undefined => {
      const answer = this.refusal?.();
      this.refusal = undefined;
      return answer;
    };
    const patch = (items: V1Deployment[] | V1StatefulSet[] | V1DaemonSet[], kind: string) => async ({ body, ...at }: At & { body: { spec: { template: { metadata: { annotations: Record<string, string> } } } } }, options: { middleware?: object[] }) => {
      await refused();
      const found = await find<V1Deployment | V1StatefulSet | V1DaemonSet>(items)(at);
      this.patches.push({ body, contentType: await contentTypeOf(options) });
      this.writes.push(`patch ${kind} ${at.name}`);
      found.spec!.template.metadata = { annotations: body.spec.template.metadata.annotations };
      found.metadata!.generation = 2;
      return found;
    };
    const agent: V1Pod = { metadata: { namespace: 'kube-system', name: 'cilium-x', uid: 'agent' }, spec: { containers: [], nodeName: 'ip-1' }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: this.agentReadySince }] } };
    const core = {
      listNode: () => Promise.resolve({ items: [] }),
      listPodForAllNamespaces: () => Promise.resolve({ items: this.pods }),
      listNamespacedPod: ({ namespace, labelSelector }: { namespace: string; labelSelector?: string }) =>
        labelSelector?.startsWith('k8s-app=') ? Promise.resolve({ items: labelSelector === 'k8s-app=cilium' ? [agent] : [] }) : within(this.pods)({ namespace }),
      readNamespacedPod: (at: At) => find(this.pods)(at),
      createNamespacedPodEviction: async ({ name, body }: { name: string; body: { deleteOptions: { preconditions: { uid: string } } } }) => {
        await refused();
        const pod = this.pods.find(({ metadata }) => metadata?.uid === body.deleteOptions.preconditions.uid);
        if (pod === undefined) return refuse(409);
        pod.metadata!.deletionTimestamp = new Date();
        this.writes.push(`evict ${name}`);
        return {};
      },
    };
    const apps = {
      readNamespacedDeployment: (at: At) => find(this.deployments)(at),
      readNamespacedStatefulSet: (at: At) => find(this.statefulSets)(at),
      readNamespacedDaemonSet: (at: At) => find(this.daemonSets)(at),
      readNamespacedReplicaSet: (at: At) => find(this.replicaSets)(at),
      listNamespacedReplicaSet: within(this.replicaSets),
      listReplicaSetForAllNamespaces: () => Promise.resolve({ items: this.replicaSets }),
      patchNamespacedDeployment: patch(this.deployments, 'Deployment'),
      patchNamespacedStatefulSet: patch(this.statefulSets, 'StatefulSet'),
      patchNamespacedDaemonSet: patch(this.daemonSets, 'DaemonSet'),
    };
    const custom = {
      getNamespacedCustomObject: ({ namespace, name }: At) => (this.endpoints.has(`${namespace}/${name}`) ? Promise.resolve({}) : refuse(404)),
      listClusterCustomObject: () => Promise.resolve({ items: [...this.endpoints].map((full) => ({ metadata: { namespace: full.split('/')[0], name: full.split('/')[1] } })) }),
    };
    const policy = { listNamespacedPodDisruptionBudget: within(this.budgets), readNamespacedPodDisruptionBudget: (at: At) => find(this.budgets)(at) };
    const events = { closed: true, listen: () => ({ next: () => Promise.resolve(false), end: () => undefined }) };
    return { kube: { core, apps, custom, policy }, events } as unknown as Clients;
  }
}

/** What the client library would send. */
async function contentTypeOf(options: { middleware?: { pre?: (context: object) => unknown }[] }): Promise<string | undefined> {
  let sent: string | undefined;
  const context = { setHeaderParam: (key: string, value: string) => void (key === 'Content-Type' && (sent = value)) };
  for (const { pre } of options.middleware ?? []) {
    const answer = pre?.(context) as { toPromise?: () => Promise<unknown> } | undefined;
    await (answer?.toPromise?.() ?? answer);
  }
  return sent;
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('what is restarted next', () => {
  const next = (over: { left?: string[]; barePods?: 'evict' | 'block' } = {}) => nextRestart(world.clients, { left: [], barePods: 'block', ...over });

  it('goes owner by owner, CoreDNS last; what is left out is not counted', async () => {
    world.pod('coredns-a', { namespace: 'kube-system', owner: owned('ReplicaSet', 'coredns-1') });
    world.pod('cart-a');
    world.pod('cart-b');
    world.pod('db-0', { owner: owned('StatefulSet', 'db') });
    const cart = { kind: 'Deployment', namespace: 'shop', name: 'cart' };
    expect(await next()).toEqual({ owner: cart, waiting: 3, pods: 4, bare: [], bareCount: 0 });
    expect(await next({ left: ['Deployment shop/cart'] })).toMatchObject({ owner: { kind: 'StatefulSet', name: 'db' }, waiting: 2, pods: 2 });
    expect(await next({ left: ['Deployment shop/cart', 'StatefulSet shop/db'] })).toMatchObject({ owner: { name: 'coredns' }, waiting: 1, pods: 1 });
    world.endpoints = new Set(['shop/cart-a', 'shop/cart-b', 'shop/db-0', 'kube-system/coredns-a']);
    expect(await next()).toEqual({ owner: null, waiting: 0, pods: 0, bare: [], bareCount: 0 });
  });

  it('is nothing that Cilium need not know: on the host network, elsewhere, going, or finished', async () => {
    world.pod('host', { host: true });
    world.pod('elsewhere', { node: 'fargate-1' });
    world.pod('going').metadata!.deletionTimestamp = new Date();
    world.pod('over').status!.phase = 'Succeeded';
    expect(await next()).toMatchObject({ owner: null, waiting: 0, bareCount: 0 });
  });

  it('leaves bare pods alone until they may be evicted, and mirror pods always', async () => {
    for (let i = 0; i < 25; i++) world.pod(`bare-${String(i).padStart(2, '0')}`, { owner: [] });
    world.pod('static', { owner: owned('Node', 'ip-1', 'v1'), mirror: true });
    const blocked = await next();
    expect(blocked).toMatchObject({ owner: null, waiting: 0, pods: 0, bareCount: 26 });
    expect(blocked.bare).toHaveLength(20);
    expect(await next({ barePods: 'evict' })).toEqual({ owner: { kind: 'Pod', namespace: 'shop', name: 'bare-00' }, waiting: 25, pods: 25, bare: ['shop/static'], bareCount: 1 });
  });

  it('leaves alone what the proof of a chain does not wait for, and nothing else', async () => {
    world.pod('cart-1-x');
    world.pod('bare', { owner: [] });
    world.pod('executor', { owner: owned('Pod', 'driver', 'v1') });
    world.pod('static', { owner: owned('Node', 'ip-1', 'v1'), mirror: true });
    const awaited = async (bare: boolean) => (await lookChained(world.clients, { known: '', bare })).blockers.find(({ object }) => object === 'Pods')?.reason;
    expect(await next()).toMatchObject({ pods: 1, bareCount: 3 });
    expect(await awaited(false)).toBe('1 on nodes with both agents without a CiliumEndpoint: shop/cart-1-x');
    expect(await next({ barePods: 'evict' })).toMatchObject({ pods: 3, bare: ['shop/static'] });
    expect(await awaited(true)).toBe('3 on nodes with both agents without a CiliumEndpoint: shop/cart-1-x, shop/bare, shop/executor');
    expect((await lookChained(world.clients, { known: '', bare: false })).proofs.at(-1)).toBe('1 pods without a CiliumEndpoint, and 3 bare or static pods that were left alone');
  });
});

describe('a Deployment', () => {
  const owner = { kind: 'Deployment', namespace: 'shop', name: 'cart' };
  const pass = (known = '') => lookRestarted(world.clients, { owner, mark: MARK, known });

  it('is rolled once, awaited, and done when its new pods are all of Cilium', async () => {
    const deployment = world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    expect(await pass()).toMatchObject({ done: false, rolled: true, evicted: 0, blockers: [{ object: 'Deployment shop/cart', reason: 'its rollout has begun' }] });
    expect(world.patches).toEqual([
      { body: { metadata: { resourceVersion: '7' }, spec: { template: { metadata: { annotations: { [AT]: expect.stringMatching(/^\d{4}-.*Z$/) as string, [BY]: MARK } } } } }, contentType: 'application/strategic-merge-patch+json' },
    ]);
    expect(await pass()).toMatchObject({ done: false, rolled: true, blockers: [{ reason: 'its controller has not seen its newest spec yet' }] });
    Object.assign(deployment.status!, { observedGeneration: 2, updatedReplicas: 1 });
    expect((await pass()).blockers).toMatchObject([{ reason: '1 of 2 pods are new' }]);
    world.pods = [];
    world.pod('cart-c');
    world.pod('cart-d');
    deployment.status!.updatedReplicas = 2;
    world.endpoints = new Set(['shop/cart-c']);
    expect((await pass()).blockers).toMatchObject([{ reason: 'its rollout is over, and 1 of its pods still have no CiliumEndpoint (cart-d)', firm: true }]);
    world.endpoints.add('shop/cart-d');
    expect(await pass()).toMatchObject({ done: true, rolled: true, evicted: 0, blockers: [] });
    expect(world.writes).toEqual(['patch Deployment cart']);
  });

  it('that somebody changes meanwhile is read again', async () => {
    world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    world.refusal = () => refuse(409);
    expect(await pass()).toMatchObject({ done: false, rolled: false, blockers: [{ reason: 'it changed while it was to be restarted' }] });
    expect((await pass()).rolled).toBe(true);
    expect(world.writes).toEqual(['patch Deployment cart']);
  });

  it('may be patched by us, or it fails', async () => {
    world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    world.refusal = () => refuse(403);
    await expect(pass()).rejects.toMatchObject({ code: 403 });
  });

  it('waits for its budget, and says which', async () => {
    world.deployment({ strategy: { rollingUpdate: { maxUnavailable: 1 } } });
    world.pod('cart-a');
    world.pod('cart-b');
    world.budget({ disruptionsAllowed: 0, currentHealthy: 1 });
    const first = await pass();
    expect(first.blockers).toMatchObject([{ object: 'Deployment shop/cart', reason: 'PDB shop/cart needs 1 healthy, has 1 (owner Deployment cart)' }]);
    await expect(pass(first.seen)).rejects.toMatchObject({ kind: 'NotYet', message: expect.stringContaining('PDB shop/cart needs 1 healthy') as string });
    expect(world.writes).toEqual([]);
    Object.assign(world.budgets[0]!.status!, { disruptionsAllowed: 1, currentHealthy: 2 });
    await expect(pass(first.seen)).rejects.toMatchObject({ kind: 'NotYet' });
    expect(world.writes).toEqual(['patch Deployment cart']);
  });

  it('that takes more than its budget ever allows loses one pod at a time', async () => {
    world.deployment({ strategy: { rollingUpdate: { maxUnavailable: 2 } } });
    world.pod('cart-a');
    world.pod('cart-b');
    world.budget({});
    expect(await pass()).toMatchObject({ done: false, evicted: 1, rolled: false });
    // Its status still says two, its budget one more: the pod that is going says otherwise.
    expect(await pass()).toMatchObject({ evicted: 0, blockers: [{ reason: '1 of 2 pods are ready' }] });
    expect(world.writes).toEqual(['evict cart-a']);
    world.pods.shift();
    world.pod('cart-c');
    world.endpoints.add('shop/cart-c');
    expect(await pass()).toMatchObject({ evicted: 1 });
    expect(world.writes).toEqual(['evict cart-a', 'evict cart-b']);
  });

  it('whose pods two budgets select is left', async () => {
    world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    world.budget({});
    world.budget({}, 'other');
    expect((await pass()).blockers).toMatchObject([{ reason: expect.stringContaining('(cart, other)') as string, firm: true }]);
    expect(world.writes).toEqual([]);
  });

  it('has no pods of others: another owner with the same labels', async () => {
    world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    world.pod('twin', { owner: owned('ReplicaSet', 'twin-1') });
    world.endpoints = new Set(['shop/cart-a', 'shop/cart-b']);
    expect((await pass()).done).toBe(true);
  });

  it('with pods on nodes without Cilium only is done: there is nothing to restart them for', async () => {
    world.deployment();
    world.pod('cart-a', { node: 'fargate-1' });
    world.pod('cart-b', { node: 'fargate-2' });
    expect(await pass()).toMatchObject({ done: true, rolled: false });
  });

  it('that is gone, or going, is done', async () => {
    world.pod('cart-a');
    expect(await pass()).toMatchObject({ done: true, evicted: 0, rolled: false });
    world.deployment().metadata!.deletionTimestamp = new Date();
    expect((await pass()).done).toBe(true);
    expect(world.writes).toEqual([]);
  });

  it('is not touched after a pause', async () => {
    world.deployment();
    world.pod('cart-a');
    world.pod('cart-b');
    const env = new MockActivityEnvironment();
    env.cancel();
    await expect(env.run(() => pass())).rejects.toThrow();
    expect(world.writes).toEqual([]);
  });
});

it.each([
  ['StatefulSet', (): V1StatefulSet[] => world.statefulSets, { replicas: 1 }, { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 }],
  ['DaemonSet', (): V1DaemonSet[] => world.daemonSets, {}, { observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1, numberAvailable: 1 }],
])('a %s is rolled with its own patch, or evicted where it does not roll', async (kind, listOf, spec, status) => {
  const object = { metadata: { namespace: 'shop', name: 'db', generation: 1 }, spec: { ...spec, selector: { matchLabels: labels }, template: {} }, status } as object as V1StatefulSet & V1DaemonSet;
  (listOf() as object[]).push(object);
  world.pod('db-0', { owner: owned(kind, 'db') });
  const pass = () => lookRestarted(world.clients, { owner: { kind, namespace: 'shop', name: 'db' }, mark: MARK, known: '' });
  object.spec!.updateStrategy = { type: 'OnDelete' };
  // Not before it is whole.
  world.pods[0]!.status!.conditions = [];
  expect((await pass()).evicted).toBe(0);
  world.pods[0]!.status!.conditions = [{ type: 'Ready', status: 'True' }];
  expect((await pass()).evicted).toBe(1);
  world.pods = [];
  world.pod('db-0', { owner: owned(kind, 'db') });
  object.spec!.updateStrategy = { type: 'RollingUpdate' };
  expect((await pass()).rolled).toBe(true);
  expect(world.writes).toEqual(['evict db-0', `patch ${kind} db`]);
});

describe('one by one', () => {
  const owner = { kind: 'Job', namespace: 'shop', name: 'once' };
  const pass = (known = 'looked') => lookRestarted(world.clients, { owner, mark: MARK, known });
  const job = owned('Job', 'once', 'batch/v1');

  it('a kind whose spec is not read is evicted from its second look on', async () => {
    world.pod('once-a', { owner: job });
    world.pod('once-b', { owner: job });
    expect(await pass('')).toMatchObject({ evicted: 0, blockers: [{ object: 'Job shop/once', reason: 'its pods are evicted one by one' }] });
    expect(world.writes).toEqual([]);
    expect(await pass()).toMatchObject({ done: false, evicted: 1 });
    expect(await pass()).toMatchObject({ evicted: 0, blockers: [{ reason: '1 of its 2 pods are not ready' }] });
    expect(world.writes).toEqual(['evict once-a']);
  });

  it('and the next only after the successor of the last is there, over the attempts of one look', async () => {
    world.pod('once-a', { owner: job });
    world.pod('once-b', { owner: job });
    const env = new MockActivityEnvironment();
    const beats: unknown[] = [];
    env.on('heartbeat', (details: unknown) => beats.push(details));
    await env.run(() => pass());
    expect(beats).toEqual([{ evicted: 1, last: { pods: 2, at: expect.any(Number) as number } }]);
    world.pods.shift();
    const again = () => new MockActivityEnvironment({ heartbeatDetails: beats[0] }).run(() => pass());
    expect(await again()).toMatchObject({ evicted: 1, blockers: [{ reason: 'the pod that was evicted has no successor yet' }] });
    world.pod('once-c', { owner: job });
    world.endpoints.add('shop/once-c');
    expect(await again()).toMatchObject({ evicted: 2 });
    expect(world.writes).toEqual(['evict once-a', 'evict once-b']);
  });

  it('a budget whose pods cannot be counted is told in the words of its condition, not of its figures', async () => {
    world.pod('once-a', { owner: job });
    const message = 'widgets.example.com does not implement the scale subresource';
    world.budget({ currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message }] });
    world.refusal = () => refuse(429, { details: { causes: [{ reason: 'DisruptionBudget', message: `The disruption budget cart does not allow evicting pods currently because it failed sync: ${message}` }] } });
    expect(await pass()).toMatchObject({ blockers: [{ reason: `PDB shop/cart cannot be counted: SyncFailed: ${message} (owner Job once)`, todo: expect.stringContaining('minAvailable that is a whole number') as string, firm: true }] });
  });

  it('a budget that refuses is told in its words', async () => {
    world.pod('once-a', { owner: job });
    world.budget({ currentHealthy: 1, disruptionsAllowed: 0, expectedPods: 1 });
    const message = 'The disruption budget cart needs 1 healthy pods and has 1 currently';
    const refusal = () => refuse(429, { details: { retryAfterSeconds: 10, causes: [{ reason: 'DisruptionBudget', message }] } });
    world.refusal = refusal;
    const told = await pass();
    expect(told).toMatchObject({ done: false, evicted: 0, blockers: [{ object: 'Pod shop/once-a', reason: 'PDB shop/cart needs 1 healthy, has 1 (owner Job once)', firm: true }] });
    // It comes again when the server said so.
    world.refusal = refusal;
    await expect(pass(told.seen)).rejects.toMatchObject({ kind: 'NotYet', retryAfterMs: 10_000 });
    expect(world.writes).toEqual([]);
  });

  it('a pod that was started with Cilium on its node, and is none of it, is not evicted over and over', async () => {
    world.agentReadySince = hours(3);
    world.pod('once-a', { owner: job });
    expect((await pass()).blockers).toMatchObject([{ reason: expect.stringContaining('they were started with Cilium on their nodes') as string, firm: true }]);
    expect(world.writes).toEqual([]);
  });

  it('is done without a pod of it', async () => {
    expect((await pass()).done).toBe(true);
  });

  it('a bare pod is evicted, and then gone', async () => {
    world.pod('lone', { owner: [] });
    const lone = (known = '') => lookRestarted(world.clients, { owner: { kind: 'Pod', namespace: 'shop', name: 'lone' }, mark: MARK, known });
    expect(await lone()).toMatchObject({ done: false, evicted: 1 });
    world.pods = [];
    expect(await lone()).toMatchObject({ done: true, evicted: 0 });
    expect(world.writes).toEqual(['evict lone']);
  });
});
