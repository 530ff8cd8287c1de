import { MockActivityEnvironment } from '@temporalio/testing';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import type { ClusterEvent, EventSource } from '../../../activities/clients/events.js';
import { lookWorkloads, madeBy } from '../../../activities/kubernetes/workloads.js';

const shop = (name: string, ready: number) => ({ kind: 'Deployment', namespace: 'shop', name, ready }) as const;

function pod(owner: { kind: string; name: string }, namespace = 'shop'): V1Pod {
  return {
    metadata: { name: 'p', namespace, ownerReferences: [{ ...owner, apiVersion: 'apps/v1', uid: 'u', controller: true }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** Deployments whose ready replicas are what the test says, asked for by name; no events. */
function cluster(ready: Record<string, number>): { clients: Clients; asked: string[]; matters: () => (event: ClusterEvent) => boolean } {
  const asked: string[] = [];
  let listener: (event: ClusterEvent) => boolean = () => false;
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
    return Promise.resolve({ spec: { replicas: 3 }, status: { readyReplicas: ready[name] } });
  };
  return { clients: { kube: { apps: { readNamespacedDeployment } }, events } as unknown as Clients, asked, matters: () => listener };
}

describe('evicted workloads', () => {
  it('are asked for again while they are short; the last word is about all of them', async () => {
    const ready = { a: 3, b: 2, c: 3 };
    const { clients, asked, matters } = cluster(ready);
    let passes = 0;
    const before = [shop('a', 3), shop('b', 3), shop('c', 3)];
    const reading = clients.kube.apps.readNamespacedDeployment.bind(clients.kube.apps);
    clients.kube.apps.readNamespacedDeployment = (request) => {
      if (request.name === 'b') passes++;
      // `b` comes back at the fourth look; `a` has lost a replica to somebody meanwhile, for one look.
      ready.b = passes >= 4 ? 3 : 2;
      ready.a = passes === 4 && asked.filter((name) => name === 'a').length === 1 ? 2 : 3;
      return reading(request);
    };
    await new MockActivityEnvironment({ scheduledTimestampMs: Date.now() }).run(lookWorkloads, clients, before, '');
    expect(asked.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
    expect(asked.slice(3, 6)).toEqual(['b', 'b', 'b']);
    // All, then the one that was short then, then all again.
    expect(asked.slice(6).sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'c', 'c'].sort());
    expect(matters()({ kind: 'Pod', type: 'MODIFIED', object: pod({ kind: 'ReplicaSet', name: 'a-5c4d' }) })).toBe(true);
    expect(matters()({ kind: 'Pod', type: 'MODIFIED', object: pod({ kind: 'ReplicaSet', name: 'b-5c4d' }) })).toBe(false);
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
