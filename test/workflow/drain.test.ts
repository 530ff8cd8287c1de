import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveSignal, approveUpdate, pauseUpdate, resumeUpdate, retryUpdate, setUpdate } from '../../workflows/messages.js';
import { eventually } from '../support/poll.js';
import { FakeCluster, failure, holdingPod, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };
/** The shortest limit that a SPEC may name. */
const brief = { timeLimitSeconds: 5 } as const;

async function refused(update: Promise<unknown>): Promise<string> {
  const error: unknown = await update.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  return (error as WorkflowUpdateFailedError).cause?.message ?? '';
}

/** A cluster whose first nodes are held by a pod each. */
function held(size: number, ...pods: string[][]): FakeCluster {
  const cluster = new FakeCluster(size);
  pods.forEach((names, index) => cluster.holding.set(`i-${String(index + 1).padStart(3, '0')}`, names.map(holdingPod)));
  return cluster;
}

describe.concurrent('a drain that takes too long', () => {
  it('hands its node back as it was found, and comes again when no other node is left', async () => {
    const cluster = held(3, ['cart']);
    const report = await harness.run(cluster, manifest('postponed', { drain: brief }), async (handle) => {
      const status = await statusWhere(handle, ({ nodes }) => nodes.postponed.length > 0);
      expect(status.nodes).toMatchObject({ postponed: ['ip-10-0-0-0'], done: 0 });
      expect(cluster.nodes[0]).toMatchObject({ cordoned: false, instance: 'running' });
      await statusWhere(handle, ({ nodes, inFlight }) => nodes.done === 2 && inFlight[0]?.node.instanceId === 'i-001');
      cluster.holding.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.nodes.map(({ node, outcome }) => `${node.instanceId} ${outcome}`)).toEqual(['i-002 refreshed', 'i-003 refreshed', 'i-001 refreshed']);
    expect(cluster.violations).toEqual([]);
  });

  it('twice is left: the run ends partial and names the node and what blocked it', async () => {
    const cluster = held(2, ['cart']);
    const report = await harness.run(cluster, manifest('left', { drain: brief }), (handle) => handle.result());
    expect(report.state).toBe('partial');
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'postponed']);
    expect(report.problem).toContain('ip-10-0-0-0: its drain took longer than 5 s: Pod shop/cart: PDB shop/cart needs 1 healthy, has 1, since 2026-01-01T00:00:00Z');
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, labelled: 1, lease: null, guards: [] });
  });

  it('is waited for where the spec says so: the firm blocker says since when', async () => {
    const cluster = held(1, ['cart']);
    const report = await harness.run(cluster, manifest('wait', { drain: { ...brief, onTimeout: 'wait' } }), async (handle) => {
      const status = await statusWhere(handle, ({ blocked }) => blocked.some((line) => line.includes('longer than 5 s')));
      expect(status.blocked.join('\n')).toMatch(/drain\.onTimeout: wait\), since 20\d\d-/);
      expect(status.forces).toEqual([]);
      cluster.holding.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
  });

  it('and that failed says so, whatever is said or set meanwhile', async () => {
    const cluster = new FakeCluster(1);
    cluster.fail('lookDrained', failure('Permanent', 'pods/eviction is forbidden'));
    const report = await harness.run(cluster, manifest('failed-drain', { drain: brief }), async (handle) => {
      await statusWhere(handle, ({ blocked }) => blocked.some((line) => line.includes('forbidden')));
      await handle.executeUpdate(setUpdate, { args: [{ values: { 'drain.onTimeout': 'wait' }, by: 'test' }] });
      const status = await statusWhere(handle, ({ blocked }) => blocked.length > 1);
      expect(status.blocked.join('\n')).toMatch(/forbidden[^]*longer than 5 s/);
      await handle.executeUpdate(retryUpdate, { args: [{ node: 'i-001', ...me }] });
      return handle.result();
    });
    expect(report.state).toBe('done');
  });

  it('of an instance that registers anew ends nothing: it is let go of with its pods, and comes again', async () => {
    const cluster = new FakeCluster(2);
    cluster.anew.add('i-001');
    const report = await harness.run(cluster, manifest('anew'), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed']);
    expect(cluster.anew).toEqual(new Set());
    // It would have been terminated with its pods.
    expect(cluster.violations).toEqual([]);
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, labelled: 0 });
  });

  it('does not count pauses', async () => {
    const cluster = held(1, ['cart']);
    const report = await harness.run(cluster, manifest('paused-limit', { drain: brief }), async (handle) => {
      await statusWhere(handle, ({ blocked }) => blocked.length > 0);
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.paused === true);
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      cluster.holding.clear();
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed']);
  });

  it('is told otherwise while it waits: set', async () => {
    const cluster = held(1, ['cart']);
    const report = await harness.run(cluster, manifest('set-limit', { drain: { onTimeout: 'wait' } }), async (handle) => {
      await statusWhere(handle, ({ blocked }) => blocked.length > 0);
      await handle.executeUpdate(setUpdate, { args: [{ values: { 'drain.timeLimitSeconds': '5' }, by: 'test' }] });
      await statusWhere(handle, ({ blocked }) => blocked.some((line) => line.includes('longer than 5 s')));
      await handle.executeUpdate(setUpdate, { args: [{ values: { 'drain.onTimeout': 'skip-to-end' }, by: 'test' }] });
      return handle.result();
    });
    expect(report.state).toBe('partial');
  });
});

describe.concurrent('a node that waits to be drained', () => {
  it('for longer than a drain may take, for want of room, holds up nobody: it comes again at the end', async () => {
    const cluster = new FakeCluster(3);
    cluster.crowded.add('i-001');
    const report = await harness.run(cluster, manifest('crowded', { drain: brief }), async (handle) => {
      await statusWhere(handle, ({ nodes, inFlight }) => nodes.done === 2 && inFlight.some(({ node }) => node.instanceId === 'i-001'));
      cluster.crowded.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.nodes.map(({ node }) => node.instanceId)).toEqual(['i-002', 'i-003', 'i-001']);
    expect(cluster.violations).toEqual([]);
  });

  it('is waited for where the spec says so, and says since when', async () => {
    const cluster = new FakeCluster(2);
    cluster.crowded.add('i-001');
    await harness.run(cluster, manifest('crowded-wait', { drain: { ...brief, onTimeout: 'wait' } }), async (handle) => {
      const { blocked } = await statusWhere(handle, (status) => status.blocked.length > 0);
      expect(blocked.join()).toContain('the wait for its drain takes longer than 5 s (drain.onTimeout: wait)');
      cluster.crowded.clear();
      return handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });
});

describe.concurrent('force', () => {
  const forcing = { drain: { ...brief, onTimeout: 'force' as const } };

  it('opens a gate of the node: exactly the pods that are named are deleted, the others go on blocking', async () => {
    const cluster = held(1, ['cart', 'web']);
    const report = await harness.run(cluster, manifest('force', forcing), async (handle) => {
      const open = await statusWhere(handle, ({ forces }) => forces.length > 0);
      const [force] = open.forces;
      expect(open).toMatchObject({ state: 'running', gate: null });
      expect(force?.pods.map(({ name, owner, budget }) => `${name} ${owner} ${budget}`)).toEqual(['cart Deployment cart shop/cart', 'web Deployment web shop/web']);
      const say = { gate: 'force', node: 'ip-10-0-0-0', digest: force?.digest ?? '', ...me };
      expect(await refused(handle.executeUpdate(approveUpdate, { args: [{ ...say, pods: ['shop/other'] }] }))).toContain('shop/cart, shop/web');
      await handle.executeUpdate(approveUpdate, { args: [{ ...say, pods: ['shop/cart'] }] });
      await eventually(() => expect(cluster.deleted).toEqual(['uid-cart']));
      const left = await statusWhere(handle, ({ forces, inFlight }) => forces[0]?.pods.length === 1 && inFlight[0]?.force?.pods.length === 1);
      expect(left.forces[0]?.pods[0]?.name).toBe('web');
      await handle.signal(approveSignal, { ...say, pods: ['shop/web'], digest: left.forces[0]?.digest ?? '' });
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(cluster.deleted).toEqual(['uid-cart', 'uid-web']);
    expect(report.audit.map(({ on, pods }) => [on, pods])).toEqual([['force ip-10-0-0-0', ['shop/cart']], ['force ip-10-0-0-0', ['shop/web']]]);
    expect(cluster.violations).toEqual([]);
  });

  it('closes by itself where what blocks is freed', async () => {
    const cluster = held(1, ['cart']);
    const report = await harness.run(cluster, manifest('freed', forcing), async (handle) => {
      await statusWhere(handle, ({ forces }) => forces.length > 0);
      cluster.holding.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(cluster.deleted).toEqual([]);
  });
});

describe.concurrent('volumes', () => {
  it('are awaited before the instance goes, and what was not detached is in the report', async () => {
    const cluster = new FakeCluster(1);
    cluster.volumes = ['csi-1'];
    cluster.block('lookDetached', { object: 'VolumeAttachment csi-1', firm: false });
    const report = await harness.run(cluster, manifest('volumes'), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.step === 'await-volumes');
      expect(cluster.nodes[0]?.instance).toBe('running');
      cluster.blocked.clear();
      return handle.result();
    });
    expect(report.notes).toContain('Node ip-10-0-0-0: a volume was not detached');
    expect(report.nodes[0]?.seconds['await-volumes']).toBeGreaterThan(0);
  });
});
