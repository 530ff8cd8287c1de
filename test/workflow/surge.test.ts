import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/api.js';
import { admit } from '../../domain/pool/admit.js';
import { survey } from '../../domain/pool/survey.js';
import type { SeenNode } from '../../domain/pool/survey.js';
import type { ManifestInput } from '../../domain/spec/schema.js';
import type { MigrationReport } from '../../domain/status.js';
import { abortUpdate, approveUpdate, pauseUpdate, reportQuery, skipUpdate } from '../../workflows/messages.js';
import { eventually } from '../support/poll.js';
import { FakeCluster, failure, holdingPod, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';
import type { MigrationHandle } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };
const surge = { maxSurge: 3, maxUnavailable: 0, canary: false };
const drain = (timeLimitSeconds: number): ManifestInput['spec']['drain'] => ({ timeLimitSeconds, onTimeout: 'wait' });

/** Four old nodes, three extra ones, and drains that do not end. */
function inTheMiddle(): FakeCluster {
  const cluster = new FakeCluster(4);
  cluster.surge(3);
  cluster.block('lookDrained');
  return cluster;
}

/** Aborts while old nodes are drained; once they are handed back drains end. */
async function abort(handle: MigrationHandle, cluster: FakeCluster): Promise<void> {
  await statusWhere(handle, ({ inFlight }) => inFlight.length > 0 && inFlight.every(({ blockers }) => blockers.length > 0));
  await handle.executeUpdate(abortUpdate, { args: [me] });
  await statusWhere(handle, ({ awaits }) => awaits[0]?.object === 'Surge');
  cluster.blocked.clear();
}

function running(cluster: FakeCluster): string[] {
  return cluster.nodes.filter(({ instance }) => instance === 'running').map(({ name }) => name);
}

const OLD = ['ip-10-0-0-0', 'ip-10-0-0-1', 'ip-10-0-0-2', 'ip-10-0-0-3'];
const RELEASED = { cordoned: 0, guards: [], lease: null };

describe.concurrent('a run that ends in the middle of a surge', () => {
  it('takes its extra nodes back before it gives back its guards, when it is aborted', async () => {
    const cluster = inTheMiddle();
    const report = await harness.run(cluster, manifest('abort-surge', { refresh: surge }), async (handle) => {
      await abort(handle, cluster);
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(running(cluster)).toEqual(OLD);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
    expect(report.notes.join()).toContain('extra nodes that were drained and taken back: ip-10-0-1-0, ip-10-0-1-1, ip-10-0-1-2');
    expect(cluster.calls.lastIndexOf('terminateNode')).toBeLessThan(cluster.calls.lastIndexOf('giveBackGuards'));
    expect(cluster.violations).toEqual([]);
  });

  it('lets groups that are being raised be raised first, and takes back what that launched', async () => {
    const cluster = new FakeCluster(4);
    const acts = cluster.activities();
    let raised: (() => void) | undefined;
    const resizeGroups: typeof acts.resizeGroups = async (request) => {
      await new Promise<void>((resolve) => (raised = resolve));
      cluster.surge(3);
      return acts.resizeGroups(request);
    };
    const taskQueue = randomUUID();
    const worker = await harness.worker({ activities: () => ({ ...acts, resizeGroups }) }, taskQueue);
    const report = await worker.runUntil(async () => {
      const handle = await harness.start(manifest('raising', { refresh: surge }), taskQueue);
      await eventually(() => expect(raised).toBeDefined());
      await handle.executeUpdate(abortUpdate, { args: [me] });
      expect((await statusWhere(handle, ({ state }) => state === 'aborting')).inFlight).toEqual([]);
      expect(cluster.calls).not.toContain('giveBackGuards');
      raised?.();
      return (await handle.result()) as MigrationReport;
    });
    expect(report.state).toBe('aborted');
    expect(running(cluster)).toEqual(OLD);
    expect(report.notes.join()).toContain('extra nodes that were drained and taken back: ip-10-0-1-0, ip-10-0-1-1, ip-10-0-1-2');
    expect(cluster.snapshot()).toMatchObject(RELEASED);
    expect(cluster.violations).toEqual([]);
  });

  it.each([
    ['one at a time where none may be missing', 0, 1],
    ['as many at a time as may be missing', 2, 2],
  ])('takes them back %s', async (_name, maxUnavailable, most) => {
    const cluster = inTheMiddle();
    await harness.run(cluster, manifest(`wide-${most}`, { refresh: { ...surge, maxUnavailable } }), async (handle) => {
      await abort(handle, cluster);
      return handle.result();
    });
    expect(cluster.widestBack).toBe(most);
    expect(running(cluster)).toEqual(OLD);
  });

  it('does the same when it fails', async () => {
    const cluster = inTheMiddle();
    cluster.fail('admitNodes', failure('Permanent', 'access denied'));
    cluster.blocked.clear();
    await harness.run(cluster, manifest('fail-surge', { refresh: surge }), async (handle) => {
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect(await handle.query(reportQuery)).toMatchObject({ state: 'failed', problem: expect.stringContaining('access denied') as string });
    });
    expect(running(cluster)).toEqual(OLD);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
    expect(cluster.violations).toEqual([]);
  });

  it('does the same when it is cancelled, paused before', async () => {
    const cluster = inTheMiddle();
    await harness.run(cluster, manifest('cancel-surge', { refresh: surge }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight.length > 0);
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      await statusWhere(handle, ({ inFlight }) => inFlight.every(({ paused }) => paused));
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      cluster.blocked.clear();
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    });
    expect(running(cluster)).toEqual(OLD);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
    expect(cluster.violations).toEqual([]);
  });

  it('says what it waits for, takes a skip of one and a second abort for the rest, and nothing else', async () => {
    const cluster = inTheMiddle();
    const report = await harness.run(cluster, manifest('second-abort', { refresh: surge }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight.length > 0);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      const status = await statusWhere(handle, ({ inFlight }) => inFlight[0]?.node.name === 'ip-10-0-1-0' && inFlight[0].step === 'drain');
      expect(status.state).toBe('aborting');
      expect(status.awaits[0]?.todo).toContain('ciliate abort second-abort');
      await expect(handle.executeUpdate(pauseUpdate, { args: [me] })).rejects.toThrow(WorkflowUpdateFailedError);
      await handle.executeUpdate(skipUpdate, { args: [{ node: 'ip-10-0-1-0', ...me }] });
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.node.name === 'ip-10-0-1-1');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      await expect(handle.executeUpdate(abortUpdate, { args: [me] })).rejects.toThrow();
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.notes.join('\n')).toMatch(/extra Node ip-10-0-1-0: left where it is: skipped[^]*test called it off: because/);
    expect(running(cluster)).toHaveLength(7);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
  });

  it('leaves an extra node whose drain takes too long, names why, and takes the others', async () => {
    const cluster = inTheMiddle();
    const [stuck] = cluster.extra;
    cluster.holding.set(stuck ?? '', [holdingPod('cart')]);
    const report = await harness.run(cluster, manifest('stuck-surge', { refresh: surge, drain: drain(5) }), async (handle) => {
      await abort(handle, cluster);
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(running(cluster)).toEqual([...OLD, 'ip-10-0-1-0']);
    expect(report.notes.join()).toMatch(/extra Node ip-10-0-1-0: left where it is: its drain took longer than 5 s: .*PDB shop\/cart/);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
    expect(cluster.violations).toEqual([]);
  });

  it('ends although nothing moves any more, and names what was awaited', async () => {
    const cluster = inTheMiddle();
    const report = await harness.run(cluster, manifest('still-surge', { refresh: surge, drain: drain(5) }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight.length > 0);
      cluster.block('prepareNode', { object: 'Deployment kube-system/cilium-operator', reason: 'no replica is ready' });
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.notes.join()).toContain('left where it is: the wait for its drain took longer than 5 s: Deployment kube-system/cilium-operator: no replica is ready');
    expect(running(cluster)).toHaveLength(7);
    expect(cluster.snapshot()).toMatchObject(RELEASED);
  });
});

/** The fake's admission replaced by the real rules, over groups of these sizes; the extra nodes are there. */
function admitting(cluster: FakeCluster, sizes: Record<string, number>): Activities {
  const acts = cluster.activities();
  const admitNodes: Activities['admitNodes'] = async ({ target, flights, ramp, refresh, exclude, later }) => {
    const running = cluster.nodes.filter(({ instance }) => instance === 'running');
    const groups = Object.entries(sizes).map(([name, prior]) => {
      const inService = running.filter(({ group }) => group === name).map(({ instanceId }) => instanceId);
      return { name, desired: inService.length, surge: { prior, added: inService.length - prior }, inService };
    });
    const nodes = running.map(({ name, uid, instanceId, group, zone, labelled, cordoned }): SeenNode => ({ ref: { name, uid, instanceId, group, zone }, labels: {}, created: 0, old: labelled, usable: !cordoned, hostsOperator: false }));
    const { view, most, open } = survey({ nodes, groups, flights, ramp, refresh, exclude, later, pods: [], budgets: [], decremented: new Set() });
    const start = admit(view).start.map((each) => ({ ...each, surplus: false }));
    if (start.length === 0 && view.candidates.length > 0) throw failure('NotYet', 'no room');
    return { resize: false, done: true, seen: 'done', blockers: [], start, counts: await acts.countNodes({ target }), remaining: view.candidates.length, most, groups: open, leftAlone: [] };
  };
  return { ...acts, admitNodes };
}

it('the gate after-canary opens after the canary of the groups that may start; one that keeps its extra nodes for others has its own late', async () => {
  const cluster = new FakeCluster(10);
  cluster.surge(5);
  for (const node of cluster.nodes) node.group = 'b';
  for (const at of [0, 10]) Object.assign(cluster.nodes[at] ?? {}, { group: 'a' });
  const taskQueue = randomUUID();
  const worker = await harness.worker({ activities: () => admitting(cluster, { a: 1, b: 9 }) }, taskQueue);
  const report = await worker.runUntil(async () => {
    const handle = await harness.start(manifest('two-groups', { refresh: { maxSurge: '50%', maxUnavailable: 0, canary: true }, approvals: ['after-canary'] }), taskQueue);
    const { gate } = await statusWhere(handle, (status) => status.gate !== null);
    expect(gate?.shows.join()).toContain('9 nodes are left');
    expect(cluster.calls.filter((call) => call === 'terminateNode')).toHaveLength(1);
    await handle.executeUpdate(approveUpdate, { args: [{ gate: 'after-canary', digest: gate?.digest ?? '', ...me }] });
    return (await handle.result()) as MigrationReport;
  });
  expect(report.state).toBe('done');
  expect(running(cluster)).toHaveLength(10);
  expect(cluster.violations).toEqual([]);
});

describe.concurrent('the zones of a group', () => {
  it('are evened out with one node more and one less, before anything is proven', async () => {
    const cluster = new FakeCluster(2);
    cluster.uneven = ['workers'];
    const report: MigrationReport = await harness.run(cluster, manifest('uneven', { refresh: { canary: false } }), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(running(cluster)).toHaveLength(2);
    expect(cluster.calls.indexOf('evenZones')).toBeLessThan(cluster.calls.lastIndexOf('terminateNode'));
    expect(cluster.calls.lastIndexOf('terminateNode')).toBeLessThan(cluster.calls.indexOf('lookProven'));
    expect(cluster.violations).toEqual([]);
  });
});
