import { ApiException } from '@kubernetes/client-node';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { changeData } from '../../../activities/kubernetes/configMap.js';
import { LABELS_A_PAGE, deleteCniLedger, readCniLedger, recordLabels } from '../../../activities/kubernetes/cniLedger.js';
import { dropGuards, putGuards, readClusterGuards, readGuards, readNodeGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { claim, claims, dropTermination, dropTerminations, dropWait, notReplacing, readTermination, recordTermination } from '../../../activities/kubernetes/terminations.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import { shardOf } from '../../../domain/ledger.js';
import type { NodeRef } from '../../../domain/plan.js';

/** What an API server holds of one object at most (etcd's limit on a request, and ConfigMap's own). */
const MOST_BYTES = 2 ** 20;

/** ConfigMaps with resource versions, as an API server keeps them. */
class ConfigMaps {
  readonly maps = new Map<string, V1ConfigMap>();
  version = 0;
  writes = 0;
  conflicts = 0;

  readonly clients = { kube: { core: this.#core() } } as unknown as Clients;

  #core(): object {
    const answer = async <T>(value: () => T): Promise<T> => new Promise((resolve, reject) => setImmediate(() => { try { resolve(value()); } catch (error) { reject(error instanceof Error ? error : new Error(String(error))); } }));
    const put = ({ body }: { body: V1ConfigMap }): V1ConfigMap => {
      const name = body.metadata?.name ?? '';
      const before = this.maps.get(name);
      this.writes++;
      if (before?.metadata?.resourceVersion !== body.metadata?.resourceVersion) {
        this.conflicts++;
        throw new ApiException(409, 'Conflict', { reason: 'Conflict' }, {});
      }
      const after = { ...body, metadata: { ...body.metadata, uid: name, resourceVersion: String(++this.version) } };
      this.maps.set(name, after);
      return after;
    };
    return {
      readNamespacedConfigMap: ({ name }: { name: string }) => answer(() => this.maps.get(name) ?? notFound()),
      listNamespacedConfigMap: ({ labelSelector }: { labelSelector: string }) => {
        const [, label = ''] = labelSelector.split(',');
        return answer(() => ({ items: [...this.maps.values()].filter(({ metadata }) => metadata?.labels?.[label] !== undefined), metadata: {} }));
      },
      createNamespacedConfigMap: (request: { body: V1ConfigMap }) => answer(() => put(request)),
      replaceNamespacedConfigMap: (request: { body: V1ConfigMap }) => answer(() => put(request)),
      deleteNamespacedConfigMap: ({ name }: { name: string }) => answer(() => void this.maps.delete(name)),
    };
  }

  /** Bytes of the biggest. */
  get biggest(): number {
    return Math.max(...[...this.maps.values()].map((map) => JSON.stringify(map).length));
  }
}

function notFound(): never {
  throw new ApiException(404, 'not found', {}, {});
}

function nodes(size: number): NodeRef[] {
  return Array.from({ length: size }, (_, index) => ({
    name: `ip-10-${Math.floor(index / 62_500)}-${Math.floor(index / 250) % 250}-${index % 250}.eu-west-1.compute.internal`,
    uid: randomUUID(),
    instanceId: `i-${randomUUID().replaceAll('-', '').slice(0, 17)}`,
    group: `eks-workers-${randomUUID()}`,
    zone: 'eu-west-1a',
  }));
}

const entryOf = (kind: GuardEntry['kind'], { name, uid }: NodeRef): GuardEntry => ({
  kind,
  set: kind === 'scale-down' ? 'changing' : 'node',
  object: `Node ${name}: cluster-autoscaler.kubernetes.io/scale-down-disabled`,
  id: uid,
  name,
  prior: null,
  ours: 'true',
  at: new Date().toISOString(),
});

describe('the guards ledger', () => {
  it('holds ten thousand nodes: an annotation of each, every replacement, and 200 terminations in groups of 450', async () => {
    const api = new ConfigMaps();
    const all = nodes(10_000);
    const group = all.slice(0, 450).map(({ instanceId }) => instanceId);
    await putGuards(api.clients, all.map((node) => entryOf('scale-down', node)));
    await Promise.all(all.map((node) => claim(api.clients, node.instanceId, node.instanceId)));
    for (const node of all.slice(0, 200)) {
      await putGuards(api.clients, [entryOf('cordon', node), entryOf('lb-exclusion', node)]);
      await recordTermination(api.clients, node, { instancesBefore: group, decremented: true });
    }
    expect(Object.keys(await readGuards(api.clients))).toHaveLength(10_400);
    // Half of what one may be: the parts fill evenly.
    expect(api.biggest).toBeLessThan(MOST_BYTES / 2);
    await dropGuards(api.clients, Object.values(await readGuards(api.clients)));
    await dropTerminations(api.clients);
    expect([...api.maps.keys()]).toEqual([]);
  }, 180_000);

  it('keeps what is about a node where one read finds it, and what is about groups in ciliate-guards', async () => {
    const api = new ConfigMaps();
    const [node = nodes(1)[0]!, other] = nodes(2);
    const size: GuardEntry = { ...entryOf('cordon', node), kind: 'asg-desired', set: 'whole', id: node.group, prior: '2', ours: '3' };
    const singleton: GuardEntry = { ...entryOf('cordon', node), kind: 'singleton', id: `${node.uid}/deployment` };
    await putGuards(api.clients, [size, singleton, entryOf('cordon', node), ...(other === undefined ? [] : [entryOf('cordon', other)])]);
    expect((await readNodeGuards(api.clients, node.uid)).map(({ kind }) => kind).sort()).toEqual(['cordon', 'singleton']);
    expect(Object.values(await readClusterGuards(api.clients))).toEqual([size]);
    expect([...api.maps.keys()]).toEqual(expect.arrayContaining(['ciliate-guards', `ciliate-guards-${shardOf(node.uid)}`]));
  });

  it('takes fifty writers at once without a conflict between them', async () => {
    const api = new ConfigMaps();
    await Promise.all(Array.from({ length: 50 }, (_, index) => changeData(api.clients, { name: 'one' }, (data) => ({ ...data, [`key-${index}`]: 'x' }))));
    expect(Object.keys(api.maps.get('one')?.data ?? {})).toHaveLength(50);
    expect(api).toMatchObject({ conflicts: 0, writes: 50 });
  });

  it('remembers a termination until it is dropped, and a claim beyond it', async () => {
    const api = new ConfigMaps();
    const [node = nodes(1)[0]!] = nodes(1);
    const termination = { instancesBefore: ['i-1'], decremented: false };
    expect(await readTermination(api.clients, node)).toBeUndefined();
    await recordTermination(api.clients, node, termination);
    expect(await readTermination(api.clients, node)).toEqual(termination);
    expect(await claim(api.clients, 'i-new', node.instanceId)).toBe(true);
    expect(await claim(api.clients, 'i-new', 'i-another')).toBe(false);
    await dropTermination(api.clients, node);
    expect(await readTermination(api.clients, node)).toBeUndefined();
    expect(await claims(api.clients)).toEqual(new Map([['i-new', node.instanceId]]));
  });

  it('leaves no node without a replacement, in whatever order they go, are launched, get ready and are found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 8 }), fc.infiniteStream(fc.nat({ max: 999 })), async (size, dice) => {
        const api = new ConfigMaps();
        const roll = (below: number): number => (dice.next().value ?? 0) % below;
        const old = nodes(size);
        const group = new Set(old.map(({ instanceId }) => instanceId));
        const waiting = new Map<NodeRef, string[]>();
        const left = [...old];
        let [due, launched, found] = [0, 0, 0];
        const taken = new Set<string>();
        for (let turn = 0; found < size; turn++) {
          expect(turn).toBeLessThan(400);
          const next = roll(3);
          if (next === 0 && left.length > 0) {
            const [node = old[0]!] = left.splice(roll(left.length), 1);
            const instancesBefore = await notReplacing(api.clients, node, [...group]);
            await recordTermination(api.clients, node, { instancesBefore, decremented: false });
            group.delete(node.instanceId);
            due++;
            await dropTermination(api.clients, node);
            if (roll(2) === 0) await dropTermination(api.clients, node);
            waiting.set(node, instancesBefore);
          } else if (next === 1 && due > 0) {
            due--;
            group.add(`i-new-${launched++}`);
          } else if (next === 2 && waiting.size > 0) {
            const [node, before] = [...waiting][roll(waiting.size)]!;
            const free = [...group].filter((id) => id.startsWith('i-new-') && !before.includes(id) && !taken.has(id));
            const best = free[roll(free.length || 1)];
            if (best === undefined) continue;
            expect(await claim(api.clients, best, node.instanceId)).toBe(true);
            taken.add(best);
            await dropWait(api.clients, node);
            waiting.delete(node);
            found++;
          }
        }
        expect(taken.size).toBe(size);
      }),
      { numRuns: 150 },
    );
  });

  it('spreads over its parts evenly', () => {
    const counts = new Map<string, number>();
    for (const { uid } of nodes(10_000)) counts.set(shardOf(uid), (counts.get(shardOf(uid)) ?? 0) + 1);
    expect(counts.size).toBe(32);
    expect(Math.max(...counts.values())).toBeLessThan(2 * (10_000 / 32));
  });
});

describe('the CNI ledger', () => {
  it('remembers ten thousand labelled nodes, in pages, and each once', async () => {
    const api = new ConfigMaps();
    const labels = nodes(10_000).map(({ uid, name }) => ({ uid, name, at: new Date().toISOString() }));
    await recordLabels(api.clients, labels.slice(0, LABELS_A_PAGE));
    await recordLabels(api.clients, labels.slice(0, 7_000));
    await recordLabels(api.clients, labels);
    await recordLabels(api.clients, labels.slice(5_000));
    expect((await readCniLedger(api.clients)).labels).toEqual(labels);
    expect(api.biggest).toBeLessThan(MOST_BYTES / 2);
    await deleteCniLedger(api.clients);
    expect([...api.maps.keys()]).toEqual([]);
  });
});
