import { randomUUID } from 'node:crypto';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetInput } from '../../domain/fleet/schema.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { fleetWorkflowId, migrationWorkflowId, RUN_FLEET } from '../../domain/names.js';
import type { MigrationReport, MigrationStatus } from '../../domain/status.js';
import type { runFleet } from '../../workflows/index.js';
import { failure } from './fakeCluster.js';
import { FakeFleet, fleetInput } from './fakeFleet.js';
import { Harness } from './harness.js';

type FleetHandle = WorkflowHandleWithFirstExecutionRunId<typeof runFleet>;

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const said = { by: 'me', reason: 'test' };
/** Names of their own: all tests share one server. */
const names = (...stems: string[]): string[] => stems.map((stem) => `${stem}-${randomUUID().slice(0, 6)}`);

function worker(fleet: FakeFleet, taskQueue: string, maxCachedWorkflows = 50): Promise<Worker> {
  return harness.worker(fleet, taskQueue, maxCachedWorkflows);
}

function start(input: FleetInput, taskQueue: string): Promise<FleetHandle> {
  return harness.env.client.workflow.start<typeof runFleet>(RUN_FLEET, { taskQueue, workflowId: fleetWorkflowId(input.metadata.name), args: [input] });
}

async function run<T>(fleet: FakeFleet, input: FleetInput, steps: (handle: FleetHandle) => Promise<T>): Promise<T> {
  const taskQueue = randomUUID();
  const running = await worker(fleet, taskQueue);
  return running.runUntil(async () => steps(await start(input, taskQueue)));
}

function migration(name: string) {
  return harness.env.client.workflow.getHandle(migrationWorkflowId(name));
}

async function eventually<T>(read: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const value = await read().catch((error: unknown) => ({ error }));
    if (!isError(value) && is(value)) return value;
    if (Date.now() > end) throw new Error(`never became what was awaited: ${JSON.stringify(value, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isError(value: unknown): value is { error: unknown } {
  return typeof value === 'object' && value !== null && 'error' in value;
}

const fleetWhere = (handle: FleetHandle, is: (status: FleetStatus) => boolean): Promise<FleetStatus> => eventually(() => handle.query<FleetStatus>('status'), is);
const clusterWhere = (name: string, is: (status: MigrationStatus) => boolean): Promise<MigrationStatus> => eventually(() => migration(name).query<MigrationStatus>('status'), is);
const line = (status: FleetStatus, name: string) => status.clusters.find((cluster) => cluster.name === name);

describe.concurrent('a fleet', () => {
  it('migrates its rings in order, at most so many at a time, and ends done', async () => {
    const [f = '', a = '', b = '', c = '', d = ''] = names('f', 'a', 'b', 'c', 'd');
    const fleet = new FakeFleet([a, b, c, d]);
    const status = await run(fleet, fleetInput(f, [{ name: 'canary', clusters: [a] }, { name: 'rest', maxInFlight: 2, clusters: [b, c, d] }]), (handle) => handle.result());
    expect(status).toMatchObject({ state: 'done', problem: null, budget: { allowed: 0, failing: [] } });
    expect(status.rings.map(({ done, total, failed }) => [done, total, failed])).toEqual([[1, 1, 0], [3, 3, 0]]);
    expect(fleet.widest).toBeLessThanOrEqual(2);
    expect(fleet.violations).toEqual([]);
    const ends = await Promise.all([a, b].map(async (name) => (await migration(name).result()) as MigrationReport));
    expect((ends[0]?.endedAt ?? '') < (ends[1]?.startedAt ?? '')).toBe(true);
  });

  it('stops at the gate after a ring; an approval must carry what it shows', async () => {
    const [f = '', a = '', b = ''] = names('f', 'a', 'b');
    await run(new FakeFleet([a, b]), fleetInput(f, [{ name: 'canary', clusters: [a], gate: true }, { name: 'rest', clusters: [b] }]), async (handle) => {
      const { gate } = await fleetWhere(handle, ({ state }) => state === 'waiting-approval');
      expect(gate).toMatchObject({ ring: 'canary', shows: [`${a}: done`] });
      await expect(handle.executeUpdate('approve', { args: [{ ...said, gate: 'rest', digest: gate?.digest }] })).rejects.toThrow();
      await expect(handle.executeUpdate('approve', { args: [{ ...said, gate: 'canary', digest: 'other' }] })).rejects.toThrow();
      expect((await migration(b).describe().catch(() => 'none'))).toBe('none');
      await handle.executeUpdate('approve', { args: [{ ...said, gate: 'canary', digest: gate?.digest }] });
      expect(await handle.result()).toMatchObject({ state: 'done', audit: [{ verb: 'approve', on: 'canary' }] });
    });
  });

  it('pauses itself when more clusters fail than may, leaves those under way alone, and goes on when told', async () => {
    const [f = '', a = '', b = '', c = ''] = names('f', 'a', 'b', 'c');
    const fleet = new FakeFleet([a, b, c]);
    fleet.cluster(a).fail('takeLease', failure('Permanent', 'Lease is held by another'));
    // A cluster's own fault map is read by its own activities only.
    await run(fleet, fleetInput(f, [{ name: 'canary', clusters: [a] }, { name: 'rest', clusters: [b, c] }]), async (handle) => {
      const paused = await fleetWhere(handle, ({ state }) => state === 'paused');
      expect(paused.paused).toMatchObject({ by: 'ciliate' });
      expect(paused.paused?.reason).toContain(a);
      expect(line(paused, a)).toMatchObject({ state: 'failed' });
      expect(line(paused, b)).toMatchObject({ state: 'waiting' });
      await handle.executeUpdate('resume', { args: [said] });
      const status = await handle.result();
      expect(status).toMatchObject({ state: 'partial' });
      expect(status.problem).toContain(a);
      expect(status.rings.map(({ done }) => done)).toEqual([0, 2]);
    });
  });

  it('takes in a failed cluster that a person started again, and goes on by itself', async () => {
    const [f = '', a = '', b = ''] = names('f', 'a', 'b');
    const fleet = new FakeFleet([a, b]);
    fleet.cluster(a).fail('takeLease', failure('Permanent', 'Lease is held by another'));
    const taskQueue = randomUUID();
    await (await worker(fleet, taskQueue)).runUntil(async () => {
      const input = fleetInput(f, [{ name: 'canary', clusters: [a] }, { name: 'rest', clusters: [b] }]);
      const handle = await start(input, taskQueue);
      await fleetWhere(handle, ({ state }) => state === 'paused');
      const spec = input.spec.shared;
      await harness.start({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name: a }, spec }, taskQueue, a);
      expect(await handle.result()).toMatchObject({ state: 'done', audit: [{ verb: 'pause', by: 'ciliate' }, { verb: 'resume', by: 'ciliate' }] });
    });
  });

  it('lets a blocked cluster hold up nobody within the budget, and waits for it at the end', async () => {
    const [f = '', a = '', b = '', c = ''] = names('f', 'a', 'b', 'c');
    const fleet = new FakeFleet([a, b, c]);
    fleet.cluster(a).block('lookDrained');
    await run(fleet, fleetInput(f, [{ name: 'canary', clusters: [a] }, { name: 'rest', clusters: [b, c] }], { failureBudget: 1 }), async (handle) => {
      const status = await fleetWhere(handle, (seen) => line(seen, b)?.state === 'done' && line(seen, c)?.state === 'done');
      expect(line(status, a)).toMatchObject({ state: 'blocked', phase: 'refresh' });
      expect(line(status, a)?.blocked).toContain('PDB shop/cart needs 2 healthy');
      expect(status.clusters[0]?.name).toBe(a);
      fleet.cluster(a).blocked.clear();
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
  });

  it('holds clusters between nodes at the end of a window, starts none, and goes on at the next one, but not what a person paused', async () => {
    const [f = '', a = '', b = '', c = ''] = names('f', 'a', 'b', 'c');
    const fleet = new FakeFleet([a, b, c], 3);
    const windows = [{ days: ['mon'], from: '22:00', to: '04:00', timeZone: 'UTC' }];
    for (const name of [a, b]) fleet.cluster(name).block('lookReplacement', { firm: false });
    const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();
    // Each answer is good until somebody moves the hands of this clock.
    let open = true;
    fleet.window = () => ({ open, until: soon(500) });
    await run(fleet, fleetInput(f, [{ name: 'all', clusters: [a, b, c], maxInFlight: 2 }], { windows }), async (handle) => {
      for (const name of [a, b]) await clusterWhere(name, ({ inFlight }) => inFlight.length > 0);
      open = false;
      for (const name of [a, b]) await clusterWhere(name, ({ paused }) => paused?.by === `fleet ${f}`);
      await migration(b).executeUpdate('pause', { args: [{ by: 'anna', reason: 'incident' }] });
      for (const name of [a, b]) fleet.cluster(name).blocked.clear();
      const resting = await clusterWhere(a, ({ inFlight, state }) => inFlight.length === 0 && state === 'paused');
      expect(resting.nodes.done).toBeLessThan(3);
      expect(line(await handle.query<FleetStatus>('status'), c)?.state).toBe('waiting');
      open = true;
      await fleetWhere(handle, (seen) => line(seen, a)?.state === 'done');
      expect((await migration(b).query<MigrationStatus>('status')).paused).toMatchObject({ by: 'anna' });
      await migration(b).executeUpdate('resume', { args: [{ by: 'anna', reason: 'over' }] });
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
    expect(fleet.violations).toEqual([]);
  });

  it('passes an abort on with its reason, by cancellation too', async () => {
    const [f = '', a = '', b = ''] = names('f', 'a', 'b');
    const fleet = new FakeFleet([a, b]);
    fleet.cluster(a).block('lookDrained', { firm: false });
    await run(fleet, fleetInput(f, [{ name: 'all', clusters: [a, b] }]), async (handle) => {
      await clusterWhere(a, ({ inFlight }) => inFlight.length > 0);
      await handle.cancel();
      await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
      expect(await handle.query<FleetStatus>('status')).toMatchObject({ state: 'aborted' });
      const report = (await migration(a).result()) as MigrationReport;
      expect(report).toMatchObject({ state: 'aborted', audit: [{ verb: 'abort', by: 'Temporal', reason: `fleet ${f}: cancellation requested` }] });
      expect(fleet.cluster(a).lease).toBeNull();
      expect(await migration(b).describe().catch(() => 'none')).toBe('none');
    });
  });

  it('adopts a cluster that is being migrated already, and every verb of one cluster works inside', async () => {
    const [f = '', a = ''] = names('f', 'a');
    const fleet = new FakeFleet([a]);
    const taskQueue = randomUUID();
    await (await worker(fleet, taskQueue)).runUntil(async () => {
      const input = fleetInput(f, [{ name: 'all', clusters: [a] }]);
      fleet.cluster(a).block('lookDrained', { firm: false });
      await harness.start({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name: a }, spec: input.spec.shared }, taskQueue, a);
      await clusterWhere(a, ({ inFlight }) => inFlight.length > 0);
      const handle = await start(input, taskQueue);
      expect(line(await fleetWhere(handle, (seen) => line(seen, a)?.adopted === true), a)).toMatchObject({ adopted: true });
      await migration(a).executeUpdate('pause', { args: [{ by: 'anna', reason: 'incident' }] });
      expect(line(await fleetWhere(handle, (seen) => line(seen, a)?.state === 'paused'), a)?.waits).toBe('paused by anna: incident');
      await migration(a).executeUpdate('resume', { args: [{ by: 'anna', reason: 'over' }] });
      fleet.cluster(a).blocked.clear();
      expect(await handle.result()).toMatchObject({ state: 'done', notes: [`${a} was being migrated already: taken in with the manifest that it was started with`] });
    });
  });

  it('gives ids that nobody has, and keeps those that clusters have; asks while one cannot be read', async () => {
    const [f = '', a = '', b = '', c = '', d = ''] = names('f', 'a', 'b', 'c', 'd');
    const fleet = new FakeFleet([a, b, c]);
    fleet.ids.set(b, 1);
    fleet.unreadable.add(c);
    fleet.found = [{ name: d, region: 'eu-west-1' }];
    const clusters = [{ name: a, spec: {} }, { name: b, spec: {} }, { name: c, spec: {} }, { select: { tags: { env: 'prod' }, accounts: [{ regions: ['eu-west-1'] }] }, spec: {} }];
    const input = fleetInput(f, [{ name: 'all', maxInFlight: 9, clusters }], { clusterIds: { from: 1, to: 9 }, shared: { cilium: { version: '1.20.0' }, soakSeconds: 0, approvals: [] } });
    for (const member of input.spec.rings[0]?.clusters ?? []) if (member.name !== undefined) member.spec = { cluster: { kubeconfig: '/nowhere/kubeconfig' } };
    await run(fleet, input, async (handle) => {
      const asked = await fleetWhere(handle, ({ state }) => state === 'paused');
      expect(asked.problem).toContain(`${c}: connection refused`);
      expect(asked.clusters.every(({ state }) => state === 'waiting')).toBe(true);
      fleet.unreadable.clear();
      await handle.executeUpdate('resume', { args: [said] });
      const status = await handle.result();
      expect(Object.fromEntries(status.clusters.map(({ name, clusterId }) => [name, clusterId]))).toEqual({ [a]: 2, [b]: 1, [c]: 3, [d]: 4 });
    });
  });

  it('continues as new with clusters under way, and loses none', async () => {
    const own = await Harness.start(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60']);
    try {
      const [f = '', ...members] = names('f', 'a', 'b', 'c', 'd', 'e', 'g');
      const fleet = new FakeFleet(members);
      const taskQueue = randomUUID();
      const running = await own.worker(fleet, taskQueue);
      await running.runUntil(async () => {
        const input = fleetInput(f, [{ name: 'all', maxInFlight: 2, clusters: members }]);
        const handle = await own.env.client.workflow.start<typeof runFleet>(RUN_FLEET, { taskQueue, workflowId: fleetWorkflowId(f), args: [input] });
        const status = await handle.result();
        expect(status).toMatchObject({ state: 'done', rings: [{ done: 6 }] });
        expect(status.runId).not.toBe(handle.firstExecutionRunId);
        expect(fleet.violations).toEqual([]);
      });
    } finally {
      await own.stop();
    }
  }, 300_000);

  it('survives its worker, replaying every task, and a termination leaves its clusters running', async () => {
    const [f = '', a = '', b = ''] = names('f', 'a', 'b');
    const fleet = new FakeFleet([a, b]);
    fleet.cluster(a).block('lookDrained', { firm: false });
    const taskQueue = randomUUID();
    const input = fleetInput(f, [{ name: 'canary', clusters: [a] }, { name: 'rest', clusters: [b] }]);
    await (await worker(fleet, taskQueue)).runUntil(async () => {
      await start(input, taskQueue);
      await clusterWhere(a, ({ inFlight }) => inFlight.length > 0);
    });
    await (await worker(fleet, taskQueue, 0)).runUntil(async () => {
      await harness.env.client.workflow.getHandle(fleetWorkflowId(f)).terminate('test');
      expect((await migration(a).describe()).status.name).toBe('RUNNING');
      const handle = await start(input, taskQueue);
      fleet.cluster(a).blocked.clear();
      const status = await handle.result();
      expect(status).toMatchObject({ state: 'done' });
      expect(line(status, a)?.adopted).toBe(true);
      expect(fleet.violations).toEqual([]);
    });
  });

  it('refuses what is no fleet, before anything is started', async () => {
    const [f = ''] = names('f');
    const handle = await harness.env.client.workflow.start(RUN_FLEET, { taskQueue: 'fleet-refused', workflowId: fleetWorkflowId(f), args: [{ kind: 'Fleet' }] });
    await (await worker(new FakeFleet([]), 'fleet-refused')).runUntil(async () => {
      const error = (await handle.result().catch((thrown: unknown) => thrown)) as WorkflowFailedError;
      expect(String(error.cause)).toContain('spec');
    });
  });
});
