import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Activities, DrainRequest } from '../../activities/api.js';
import type { Listening } from '../../activities/clients/events.js';
import { failureInterceptors } from '../../activities/failures.js';
import { linger } from '../../activities/linger.js';
import { look } from '../../activities/look.js';
import { createWorker } from '../../worker/worker.js';
import { FakeCluster, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';
import type { MigrationHandle } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const LINGERING = 20;
/** More than linger, and fewer than clusters that are stuck. */
const SLOTS = 24;
const STUCK = 28;

/** Nothing ever happens in a stuck cluster. */
const silent = { closed: false, close: () => undefined, snapshot: () => Promise.reject(new Error('not asked for')), listen: () => quietListener() };

function quietListener(): Listening {
  return {
    end: () => undefined,
    next: (ms, signal) =>
      new Promise((resolve) => {
        const over = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', over);
          resolve(false);
        };
        const timer = setTimeout(over, ms);
        signal?.addEventListener('abort', over);
      }),
  };
}

/** A drain that no budget lets go, waited for as a real one is. */
function stuckDrain({ known }: DrainRequest): Promise<Awaited<ReturnType<Activities['lookDrained']>>> {
  const blockers = [{ object: 'Pod shop/db-0', reason: 'PDB shop/db needs 1 healthy, has 1', todo: 'scale it up', firm: true }];
  const pass = (): ReturnType<Activities['lookDrained']> => Promise.resolve(look({ known, done: false, blockers, seenOf: 'held', extra: { evicted: 0, blocking: [], volumes: [], notes: [] } }));
  return linger({ events: silent, mostLingering: LINGERING }, () => false, async () => pass());
}

/** Activities of many clusters, each by the migration that its input names. */
function many(clusters: ReadonlyMap<string, FakeCluster>): Activities {
  const any = new FakeCluster(0).activities();
  const each = new Map([...clusters].map(([name, cluster]) => [name, cluster.activities()]));
  const dispatched = Object.keys(any).map((name) => [
    name,
    (input: { target?: { migration: string } } | undefined) => {
      const migration = input?.target?.migration ?? '';
      if (name === 'lookDrained' && migration.startsWith('stuck')) return stuckDrain(input as DrainRequest);
      const own = (each.get(migration) ?? any)[name as keyof Activities] as (input: unknown) => Promise<unknown>;
      return own(input);
    },
  ]);
  return Object.fromEntries(dispatched) as Activities;
}

it('more stuck clusters than slots: the others go on', async () => {
  const stuck = Array.from({ length: STUCK }, (_, index) => `stuck-${index}`);
  const clusters = new Map([...stuck, 'free-1', 'free-2'].map((name) => [name, new FakeCluster(2)]));
  const taskQueue = randomUUID();
  const worker = await createWorker({
    connection: harness.env.nativeConnection,
    namespace: 'default',
    taskQueue,
    activities: many(clusters),
    bundle: harness.bundle,
    interceptors: { activity: [failureInterceptors()] },
    activitySlots: SLOTS,
  });
  await worker.runUntil(async () => {
    const held: MigrationHandle[] = [];
    for (const name of stuck) held.push(await harness.start(manifest(name), taskQueue, name));
    for (const handle of held) await statusWhere(handle, ({ blocked }) => blocked.length > 0, 120_000);
    const free = await Promise.all(['free-1', 'free-2'].map((name) => harness.start(manifest(name), taskQueue, name)));
    for (const handle of free) expect(await handle.result()).toMatchObject({ state: 'done', tally: { refreshed: 2 } });
    // Still stuck, all of them, and still known to be.
    for (const handle of held) expect((await statusWhere(handle, () => true)).blocked[0]).toContain('PDB shop/db needs 1 healthy');
    await Promise.all(held.map((handle) => handle.terminate('test')));
  });
}, 300_000);
