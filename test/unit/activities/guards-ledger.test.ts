import { ApiException } from '@kubernetes/client-node';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { changeData } from '../../../activities/kubernetes/configMap.js';
import type { Data } from '../../../activities/kubernetes/configMap.js';
import { LABELS_A_PAGE, deleteCniLedger, readCniLedger, recordLabels } from '../../../activities/kubernetes/cniLedger.js';
import { dropGuards, putGuards, readClusterGuards, readGuards, readNodeGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { claim, dropTermination, dropTerminations, readTermination, recordTermination, spoken } from '../../../activities/kubernetes/terminations.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import { shardOf } from '../../../domain/ledger.js';
import type { NodeRef } from '../../../domain/plan.js';
import { freedBy, ownFirst, ruledOut } from '../../../domain/replacements.js';

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
    await Promise.all(all.map(({ instanceId }) => claim(api.clients, { replacement: instanceId, replaces: instanceId, frees: [instanceId] })));
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

  it('takes fifty writers at once in two writes: the first, and all that came meanwhile', async () => {
    const api = new ConfigMaps();
    await Promise.all(Array.from({ length: 50 }, (_, index) => changeData(api.clients, { name: 'one' }, (data) => ({ ...data, [`key-${index}`]: 'x' }))));
    expect(Object.keys(api.maps.get('one')?.data ?? {})).toHaveLength(50);
    expect(api).toMatchObject({ conflicts: 0, writes: 2 });
  });

  it('writes for others what one of them could not say, each hears of its own, and a conflict is tried again for all', async () => {
    const api = new ConfigMaps();
    const change = (to: (data: Data) => Data | null): Promise<Data> => changeData(api.clients, { name: 'one' }, to);
    await change(() => ({ first: '1' }));
    // Another worker's write, which the first of ours does not know of.
    let stolen = false;
    const steal = (data: Data): Data => {
      if (!stolen) {
        stolen = true;
        const map = api.maps.get('one');
        api.maps.set('one', { ...map, metadata: { ...map?.metadata, resourceVersion: 'stolen' }, data: { ...map?.data, theirs: '1' } });
      }
      return { ...data, a: '1' };
    };
    const results = await Promise.allSettled([
      change(steal),
      change((data) => ({ ...data, b: Object.keys(data).sort().join() })),
      change(() => {
        throw new Error('not JSON');
      }),
      change((data) => data),
      change(() => null),
      change((data) => ({ ...data, c: '1' })),
    ]);
    const of = (index: number): unknown => (results[index]?.status === 'fulfilled' ? results[index].value : String(results[index]?.reason));
    expect(of(0)).toEqual({ first: '1', theirs: '1', a: '1' });
    expect(of(1)).toEqual({ first: '1', theirs: '1', a: '1', b: 'a,first,theirs' });
    expect(of(2)).toBe('Error: not JSON');
    expect(of(3)).toEqual(of(1));
    expect(of(4)).toEqual({});
    expect(of(5)).toEqual({ c: '1' });
    expect(api.maps.get('one')?.data).toEqual({ c: '1' });
    expect(api.conflicts).toBe(1);
  });

  it('a write that fails is told to all whose changes were in it, and to nobody after', async () => {
    const api = new ConfigMaps();
    const replace = api.clients.kube.core.createNamespacedConfigMap.bind(api.clients.kube.core);
    let broken = true;
    api.clients.kube.core.createNamespacedConfigMap = (request) => (broken ? Promise.reject(new Error('away')) : replace(request));
    const put = (key: string): Promise<Data> => changeData(api.clients, { name: 'one' }, (data) => ({ ...data, [key]: 'x' }));
    const first = put('a');
    const others = [put('b'), put('c')];
    await expect(first).rejects.toThrow('away');
    await Promise.all(others.map((other) => expect(other).rejects.toThrow('away')));
    broken = false;
    expect(await put('d')).toEqual({ d: 'x' });
  });

  it('remembers a termination until it is dropped, and a claim beyond it', async () => {
    const api = new ConfigMaps();
    const [node = nodes(1)[0]!] = nodes(1);
    const termination = { instancesBefore: ['i-1'], decremented: false };
    expect(await readTermination(api.clients, node)).toBeUndefined();
    await recordTermination(api.clients, node, termination);
    expect(await readTermination(api.clients, node)).toEqual(termination);
    expect(await claim(api.clients, { replacement: 'i-new', replaces: node.instanceId, frees: ['i-older'] })).toBe(true);
    expect(await claim(api.clients, { replacement: 'i-new', replaces: 'i-another', frees: ['i-other'] })).toBe(false);
    await dropTermination(api.clients, node, { happened: true });
    expect(await readTermination(api.clients, node)).toBeUndefined();
    expect(await spoken(api.clients)).toMatchObject({ claimed: new Map([['i-new', node.instanceId]]), freed: new Set(['i-older']) });
  });

  it('leaves no node without a replacement, in whatever order they go (some by another hand), are launched, get ready and are found, also where answers are lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 8 }), fc.infiniteStream(fc.nat({ max: 9_999 })), async (size, dice) => {
        const api = new ConfigMaps();
        const roll = (below: number): number => (dice.next().value ?? 0) % below;
        const pick = <T>(from: readonly T[]): T | undefined => from[roll(from.length || 1)];
        // Worker processes: each knows of claims what it has read and done itself.
        let workers: Clients[] = [];
        const anew = (): void => void (workers = [{ ...api.clients }, { ...api.clients }]);
        anew();
        const left = nodes(size).map(({ instanceId }) => instanceId);
        const launchedAt = new Map(left.map((id) => [id, 0]));
        const group = new Set(left);
        const endedByOthers = new Map<string, number>();
        const waiting = new Map<string, string[]>();
        const found = new Map<string, string>();
        let [due, now] = [0, 0];
        const look = async (id: string, before: string[]): Promise<string | undefined> => {
          const clients = pick(workers)!;
          const known = await spoken(clients);
          const out = new Set(ruledOut(id, before, known));
          const candidates = [...group].filter((each) => !out.has(each)).map((InstanceId) => ({ InstanceId }));
          const best = pick(ownFirst(id, candidates, known))?.InstanceId;
          if (best === undefined) return undefined;
          const frees = freedBy(best, candidates.map(({ InstanceId }) => ({ id: InstanceId, at: launchedAt.get(InstanceId) ?? 0 })), known);
          return (await claim(clients, { replacement: best, replaces: id, frees })) ? best : undefined;
        };
        for (let turn = 0; found.size < size; turn++) {
          expect(turn).toBeLessThan(2_000);
          // What is old is read again in the end.
          if (turn % 20 === 19) anew();
          now += roll(2);
          const what = roll(5);
          if (what <= 1 && left.length > 0) {
            const [id = ''] = left.splice(roll(left.length), 1);
            if (what === 0) waiting.set(id, [...group]);
            else endedByOthers.set(id, now);
            group.delete(id);
            due++;
          } else if (what === 2 && endedByOthers.size > 0) {
            const [id, at] = pick([...endedByOthers])!;
            waiting.set(id, [...group].filter((each) => (launchedAt.get(each) ?? 0) < at));
            endedByOthers.delete(id);
          } else if (what === 3 && due > 0) {
            due--;
            launchedAt.set(`i-new-${launchedAt.size}`, now);
            group.add(`i-new-${launchedAt.size - 1}`);
          } else if (what === 4 && waiting.size > 0) {
            const [id, before] = pick([...waiting])!;
            const taken = await look(id, before);
            if (taken === undefined) continue;
            if (roll(4) === 0) {
              // The answer is lost, and it is long until it is asked for again: whoever does has read meanwhile.
              anew();
              continue;
            }
            found.set(id, taken);
            waiting.delete(id);
          }
        }
        expect(new Set(found.values()).size).toBe(size);
      }),
      { numRuns: 300 },
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
