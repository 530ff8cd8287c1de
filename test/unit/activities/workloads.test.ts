import { MockActivityEnvironment } from '@temporalio/testing';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import type { ClusterEvent, EventSource } from '../../../activities/clients/events.js';
import type { Look } from '../../../activities/api.js';
import { lookWorkloads, madeBy, workloadsOf } from '../../../activities/kubernetes/workloads.js';

const shop = (name: string, ready: number) => ({ kind: 'Deployment', namespace: 'shop', name, ready }) as const;

function pod(owner: { kind: string; name: string }, namespace = 'shop'): V1Pod {
  return {
    metadata: { name: 'p', namespace, ownerReferences: [{ ...owner, apiVersion: 'apps/v1', uid: 'u', controller: true }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

type Matters = (event: ClusterEvent) => boolean;

/** Deployments of three replicas whose ready ones the test tells, each time that one is asked for by name. */
function cluster(readyOf: (name: string) => number): { clients: Clients; asked: string[]; matters: () => Matters } {
  const asked: string[] = [];
  let listener: Matters = () => false;
  const events: EventSource = {
    closed: false,
    close: () => undefined,
    listen: (matters) => {
      listener = matters;
      return { next: () => Promise.resolve(true), end: () => undefined };
    },
    snapshot: () => Promise.reject(new Error('nobody asks for it')),
  };
  const readNamespacedDeployment = ({ name }: { name: string }) => {
    asked.push(name);
    return Promise.resolve({ spec: { replicas: 3 }, status: { readyReplicas: readyOf(name) } });
  };
  return { clients: { kube: { apps: { readNamespacedDeployment } }, events } as unknown as Clients, asked, matters: () => listener };
}

const became = (matters: Matters, replicaSet: string): boolean => matters({ kind: 'Pod', type: 'MODIFIED', object: pod({ kind: 'ReplicaSet', name: replicaSet }) });

describe('evicted workloads', () => {
  it('are asked for again while they are short; the last word is about all of them', async () => {
    const { clients, asked, matters } = cluster((name) => {
      // `b` is short three times. `a` has lost a replica to somebody else when it is looked at for the last word.
      const times = asked.filter((other) => other === name).length;
      return (name === 'b' && times <= 3) || (name === 'a' && times === 3) ? 2 : 3;
    });
    const workloads = [shop('a', 3), shop('b', 3), shop('c', 3)];
    const look = (known: string) => new MockActivityEnvironment({ scheduledTimestampMs: Date.now() }).run(() => lookWorkloads(clients, workloads, known)) as Promise<Look>;
    const first = await look('');
    expect(first).toMatchObject({ done: false, blockers: [{ object: 'Deployment shop/b', reason: '2 of 3 replicas are ready' }] });
    expect([became(matters(), 'b-5c4d'), became(matters(), 'a-5c4d')]).toEqual([true, false]);

    asked.splice(0, asked.length, 'a', 'b', 'c');
    expect(await look(first.seen)).toMatchObject({ done: false, blockers: [{ object: 'Deployment shop/a' }] });
    expect(asked.slice(3)).toEqual(['a', 'b', 'c', 'b', 'b', 'a', 'b', 'c']);
    expect([became(matters(), 'b-5c4d'), became(matters(), 'a-5c4d')]).toEqual([false, true]);
  });

  it.each([
    [shop('web', 1), { kind: 'ReplicaSet', name: 'web-7d9f' }, true],
    [shop('web', 1), { kind: 'ReplicaSet', name: 'web-api-7d9f' }, false],
    [shop('web', 1), { kind: 'StatefulSet', name: 'web' }, false],
    [{ kind: 'StatefulSet', namespace: 'shop', name: 'db' }, { kind: 'StatefulSet', name: 'db' }, true],
    [{ kind: 'ReplicaSet', namespace: 'shop', name: 'own' }, { kind: 'ReplicaSet', name: 'own' }, true],
  ] as const)('%o made a pod of %o: %s', (workload, owner, made) => {
    expect(madeBy(workload, pod(owner))).toBe(made);
    expect(madeBy(workload, pod(owner, 'elsewhere'))).toBe(false);
  });
});

describe('pods of controllers that nobody here knows', () => {
  const CLUSTER = { kind: 'Cluster', namespace: 'data', name: 'pg', uid: 'uid-pg' };

  function owned(name: string, over: { kind?: string; uid?: string; namespace?: string; ready?: boolean; going?: boolean; restartPolicy?: string; phase?: string } = {}): V1Pod {
    const { kind = 'Cluster', uid = 'uid-pg', namespace = 'data', ready = true, going = false, restartPolicy = 'Always', phase = 'Running' } = over;
    return {
      metadata: { name, namespace, ownerReferences: [{ apiVersion: 'x/v1', kind, name: 'pg', uid, controller: true }], ...(going ? { deletionTimestamp: new Date() } : {}) },
      spec: { containers: [], restartPolicy },
      status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    };
  }

  /** A namespace's pods, of which a page holds two. */
  function cluster(pods: V1Pod[]): { clients: Clients; lists: string[]; pods: V1Pod[] } {
    const lists: string[] = [];
    const seen = { pods };
    const listNamespacedPod = ({ namespace, _continue }: { namespace: string; _continue?: string }) => {
      lists.push(namespace);
      const from = Number(_continue ?? 0);
      const all = seen.pods.filter(({ metadata }) => metadata?.namespace === namespace);
      return Promise.resolve({ items: all.slice(from, from + 2), metadata: from + 2 < all.length ? { _continue: String(from + 2) } : {} });
    };
    const events = { closed: true, listen: () => ({ next: () => Promise.resolve(false), end: () => undefined }) };
    return Object.assign(seen, { clients: { kube: { core: { listNamespacedPod } }, events } as unknown as Clients, lists });
  }

  it('are counted by their controller: one list for each namespace that has such, none where there is none', async () => {
    const { clients, lists } = cluster([owned('pg-1'), owned('pg-2'), owned('pg-3', { ready: false }), owned('pg-4', { going: true }), owned('pg-5', { phase: 'Succeeded', ready: false }), owned('other', { uid: 'uid-other' }), owned('pg-6')]);
    expect(await workloadsOf(clients, [owned('pg-1'), owned('pg-2'), owned('kafka', { kind: 'StrimziPodSet', uid: 'uid-kafka' })])).toEqual([
      { ...CLUSTER, ready: 3, wanted: 4 },
      { kind: 'StrimziPodSet', namespace: 'data', name: 'pg', uid: 'uid-kafka', ready: 0, wanted: 0 },
    ]);
    expect(new Set(lists)).toEqual(new Set(['data']));
    // As many as it has pages.
    expect(lists).toHaveLength(4);
    lists.length = 0;
    const others = ['Job', 'DaemonSet', 'Node'].map((kind) => owned('p', { kind }));
    // Runs that end are no service that comes back.
    expect(await workloadsOf(clients, [...others, { metadata: { name: 'bare', namespace: 'data' } }, owned('step-1', { kind: 'Workflow', restartPolicy: 'Never' }), owned('done', { phase: 'Succeeded' })])).toEqual([]);
    expect(lists).toEqual([]);
  });

  const look = (clients: Clients, { known = '', waited = 50_000, ready = 2 } = {}) =>
    new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - waited }).run(() => lookWorkloads(clients, [{ ...CLUSTER, ready }], known)) as Promise<Look & { notes: string[] }>;

  it('are awaited until as many are ready as before', async () => {
    const seen = cluster([owned('pg-1'), owned('pg-2', { ready: false })]);
    const first = await look(seen.clients);
    expect(first).toMatchObject({ done: false, blockers: [{ object: 'Cluster data/pg', reason: '1 of 2 replicas are ready' }] });
    await expect(look(seen.clients, { known: first.seen })).rejects.toMatchObject({ kind: 'NotYet' });
    seen.pods = [owned('pg-1'), owned('pg-3')];
    expect(await look(seen.clients, { known: first.seen })).toMatchObject({ done: true, notes: [] });
  });

  it('are no longer awaited after ten minutes where all that there are, are ready: it may have been scaled down, and the report says so', async () => {
    const seen = cluster([owned('pg-1')]);
    const known = (await look(seen.clients)).seen;
    await expect(look(seen.clients, { known: `${known}!`, waited: 590_000 })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(await look(seen.clients, { known: `${known}!`, waited: 601_000 })).toMatchObject({ done: true, notes: ['Cluster data/pg had 2 ready pods before its node was drained and has 1 now, all that there are: it was not awaited any longer'] });
    seen.pods = [owned('pg-1'), owned('pg-2', { ready: false })];
    await expect(look(seen.clients, { known: `${known}!`, waited: 601_000 })).rejects.toMatchObject({ kind: 'NotYet' });
    // Where none is left at all its object may be gone: that is waited for longer.
    seen.pods = [];
    await expect(look(seen.clients, { known: `${known}!`, waited: 601_000 })).rejects.toMatchObject({ kind: 'NotYet' });
    expect(await look(seen.clients, { known: `${known}!`, waited: 1_801_000 })).toMatchObject({ done: true, notes: [expect.stringContaining('has 0 now')] });
  });
});
