import { ApiException } from '@kubernetes/client-node';
import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { giveBackGuards, giveBackNode } from '../../../activities/kubernetes/guards.js';
import { surgeAfter, surgeBefore } from '../../../activities/kubernetes/surgeSingleton.js';

const ref = { name: 'ip-1', uid: 'node-uid', instanceId: 'i-1', group: 'g', zone: 'z' };
const labels = { app: 'solo' };
const owner = (kind: string, name: string) => [{ apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true }];
const pod: V1Pod = { metadata: { namespace: 'shop', name: 'solo-1', uid: 'p1', labels, ownerReferences: owner('ReplicaSet', 'solo-rs') }, spec: { nodeName: 'ip-1', containers: [] } };
const missing = () => Promise.reject(new ApiException(404, '', {}, {}));

/** One Deployment, its pods, and the ledger. */
class World {
  replicas = 1;
  /** Field manager that set the replicas. */
  manager = 'kubectl';
  ledger: V1ConfigMap | undefined;
  others: V1Pod[] = [];
  autoscalers: object[] = [];
  version = 1;

  get clients(): Clients {
    const deployment = () => ({
      metadata: { namespace: 'shop', name: 'solo', uid: 'd1', managedFields: [{ manager: this.manager, fieldsV1: { 'f:spec': { 'f:replicas': {} } } }] },
      spec: { replicas: this.replicas, selector: { matchLabels: labels }, template: {} },
    });
    const keep = ({ body }: { body: V1ConfigMap }) => {
      this.ledger = { ...body, metadata: { ...body.metadata, uid: 'cm', resourceVersion: String(this.version++) } };
      return Promise.resolve(this.ledger);
    };
    const core = {
      readNamespacedConfigMap: ({ name }: { name: string }) => (this.ledger?.metadata?.name === name ? Promise.resolve(this.ledger) : missing()),
      listNamespacedConfigMap: () => Promise.resolve({ items: this.ledger === undefined ? [] : [this.ledger] }),
      createNamespacedConfigMap: keep,
      replaceNamespacedConfigMap: keep,
      deleteNamespacedConfigMap: () => Promise.resolve(void (this.ledger = undefined)),
      listNamespacedPod: () => Promise.resolve({ items: [pod, ...this.others] }),
      listNode: () => Promise.resolve({ items: [] }),
    };
    const apps = {
      readNamespacedReplicaSet: () => Promise.resolve({ metadata: { ownerReferences: owner('Deployment', 'solo') } }),
      readNamespacedDeployment: () => Promise.resolve(deployment()),
      patchNamespacedDeploymentScale: ({ body }: { body: { path: string; value: unknown }[] }) => {
        this.replicas = Number(body.at(-1)?.value);
        this.manager = 'ciliate';
        return Promise.resolve({});
      },
    };
    return { kube: { core, apps, make: () => ({ listNamespacedHorizontalPodAutoscaler: () => Promise.resolve({ items: this.autoscalers }) }) } } as unknown as Clients;
  }

  twinReady(): void {
    this.others = [{ metadata: { namespace: 'shop', name: 'solo-2', uid: 'p2', labels }, spec: { nodeName: 'ip-2', containers: [] }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }];
  }
}

describe('a singleton', () => {
  it('is scaled up, awaited, evicted, and scaled back: each step may be repeated', async () => {
    const world = new World();
    for (let times = 0; times < 2; times++) expect((await surgeBefore(world.clients, ref, pod)).wait?.reason).toContain('the new replica is not Ready yet');
    expect(world.replicas).toBe(2);
    world.twinReady();
    for (let times = 0; times < 2; times++) expect(await surgeBefore(world.clients, ref, pod)).toEqual({});
    // Its pod is still here: not yet.
    await surgeAfter(world.clients, ref, [pod]);
    expect(world.replicas).toBe(2);
    for (let times = 0; times < 2; times++) expect(await surgeAfter(world.clients, ref, [])).toEqual([]);
    expect([world.replicas, world.ledger]).toEqual([1, undefined]);
  });

  it.each([
    ['the node is handed back', (clients: Clients) => giveBackNode(clients, ref.uid)],
    ['the run ends', (clients: Clients) => giveBackGuards(clients, 'whole')],
  ])('has its one replica back when %s in the middle of it', async (_name, giveBack) => {
    const world = new World();
    await surgeBefore(world.clients, ref, pod);
    expect((await giveBack(world.clients)).given).toEqual(['Deployment shop/solo: replicas']);
    expect([world.replicas, world.ledger]).toEqual([1, undefined]);
  });

  it('that somebody scaled meanwhile stays as they want it', async () => {
    const world = new World();
    await surgeBefore(world.clients, ref, pod);
    world.replicas = 3;
    world.manager = 'kubectl';
    expect((await giveBackNode(world.clients, ref.uid)).left).toEqual([expect.stringContaining('is "3" now; somebody else changed it')]);
    expect(world.replicas).toBe(3);
  });

  it('of an autoscaler is left alone, with a note', async () => {
    const world = new World();
    world.autoscalers = [{ metadata: { name: 'hpa' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'solo' } } }];
    expect(await surgeBefore(world.clients, ref, pod)).toEqual({ note: 'Deployment shop/solo was not surged: HorizontalPodAutoscaler hpa decides on its replicas' });
    expect(world.replicas).toBe(1);
  });

  it('that another node has surged is awaited', async () => {
    const world = new World();
    await surgeBefore(world.clients, { ...ref, uid: 'other-node' }, pod);
    expect((await surgeBefore(world.clients, ref, pod)).wait?.reason).toContain('the drain of another node has it scaled up');
  });
});
