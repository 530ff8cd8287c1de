import { MockActivityEnvironment } from '@temporalio/testing';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import type { ClusterEvent, EventSource } from '../../../activities/clients/events.js';
import type { Look } from '../../../activities/api.js';
import { lookWorkloads, madeBy } from '../../../activities/kubernetes/workloads.js';

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
