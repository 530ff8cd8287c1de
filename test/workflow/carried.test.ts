import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Snapshot } from '../../domain/snapshot.js';
import { SNAPSHOT_MEMO } from '../../domain/names.js';
import { update } from '../../starter/run/update.js';
import { statusQuery } from '../../workflows/messages.js';
import { FakeCluster, holdingPod, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';
import type { MigrationHandle } from './harness.js';

/** A server that suggests to continue as new after few events, so that runs do it all the time, with nodes in flight. */
let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=150']);
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };
const WIDE = { refresh: { canary: false, maxUnavailable: 6 } };

async function runIdOf(handle: MigrationHandle): Promise<string> {
  return (await harness.env.client.workflow.getHandle(handle.workflowId).describe()).runId;
}

/** The newest run, and how many there were. */
async function runsOf(handle: MigrationHandle): Promise<number> {
  let runs = 0;
  for await (const run of harness.env.client.workflow.list({ query: `WorkflowId = '${handle.workflowId}'` })) runs += run.workflowId === handle.workflowId ? 1 : 0;
  return runs;
}

/** Nodes that were spoken to by each workflow task that spoke to any, of all runs. */
async function spokenAtOnce(handle: MigrationHandle): Promise<number[]> {
  const { client } = harness.env;
  const byTask = new Map<string, number>();
  for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowId = '${handle.workflowId}'` })) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const { signalExternalWorkflowExecutionInitiatedEventAttributes: spoke } of events ?? []) {
      const task = `${runId}/${spoke?.workflowTaskCompletedEventId?.toString()}`;
      if (spoke) byTask.set(task, (byTask.get(task) ?? 0) + 1);
    }
  }
  return [...byTask.values()];
}

/** What a run began with of the snapshots. */
async function firstMemo(runId: string, { workflowId }: MigrationHandle): Promise<Snapshot> {
  const { events } = await harness.env.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return snapshotIn(events?.[0]?.workflowExecutionStartedEventAttributes?.memo);
}

/** The snapshots that a run has left. */
async function upsertedMemos(runId: string, { workflowId }: MigrationHandle): Promise<Snapshot[]> {
  const { events } = await harness.env.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return (events ?? []).flatMap(({ workflowPropertiesModifiedEventAttributes: modified }) => (modified ? [snapshotIn(modified.upsertedMemo)] : []));
}

function snapshotIn(memo: temporal.api.common.v1.IMemo | null | undefined): Snapshot {
  return defaultPayloadConverter.fromPayload(memo?.fields?.[SNAPSHOT_MEMO] ?? {});
}

/** Until the run that was open when this was called has continued as new. */
async function continued(handle: MigrationHandle, from: string): Promise<string> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const runId = await runIdOf(handle);
    if (runId !== from) return runId;
    if (Date.now() > deadline) throw new Error(`run ${from} never continued as new`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe.concurrent('nodes in flight when the run continues as new', () => {
  // First, since it is the longest: a node asks after its migration once a minute.
  it('are handed back when the migration is terminated after that', async () => {
    const cluster = new FakeCluster(8);
    cluster.block('lookDrained');
    const taskQueue = randomUUID();
    const worker = await harness.worker(cluster, taskQueue);
    await worker.runUntil(async () => {
      const handle = await harness.start(manifest('orphans', { refresh: { canary: false, maxUnavailable: 4 } }), taskQueue, 'orphans');
      const { inFlight } = await statusWhere(harness.newest(handle), (status) => status.inFlight.filter(({ step }) => step === 'drain').length === 4);
      const first = await runIdOf(handle);
      await talkUntil(handle, first);
      await harness.newest(handle).terminate('test');
      for (const { node } of inFlight) {
        const child = harness.env.client.workflow.getHandle(`${handle.workflowId}/node/${node.instanceId}`);
        expect(await child.result()).toMatchObject({ outcome: 'handed-back', why: 'its migration is gone' });
      }
      expect(cluster.snapshot()).toMatchObject({ cordoned: 0 });
    });
    expect(cluster.violations).toEqual([]);
  }, 180_000);

  it('go on, each once, and none is lost', async () => {
    const cluster = new FakeCluster(24);
    const { report, runs } = await harness.run(cluster, manifest('carried', WIDE), async (handle) => ({ report: await handle.result(), runs: await runsOf(handle) }));
    expect(runs).toBeGreaterThan(3);
    expect(report).toMatchObject({ state: 'done', problem: null, tally: { refreshed: 24 } });
    expect(new Set(report.nodes.map(({ node }) => node.instanceId)).size).toBe(24);
    expect(cluster.calls.filter((name) => name === 'terminateNode')).toHaveLength(24);
    expect(cluster.violations).toEqual([]);
  });

  it('are told by Temporal itself, as they were some seconds ago, whichever run goes on with them', async () => {
    const cluster = new FakeCluster(8);
    cluster.block('lookDrained');
    await harness.run(cluster, manifest('left', { refresh: { canary: false, maxUnavailable: 4 } }), async (handle) => {
      await statusWhere(harness.newest(handle), ({ inFlight }) => inFlight.filter(({ step }) => step === 'drain').length === 4);
      const first = await runIdOf(handle);
      await talkUntil(handle, first);
      const next = await runIdOf(handle);
      expect(next).not.toBe(first);
      const { status } = await firstMemo(next, handle);
      expect(status).toMatchObject({ asOf: expect.any(String) as string, phase: 'refresh', nodes: { counts: { inFlight: 4 } } });
      expect(status.inFlight.length).toBeGreaterThan(0);
      expect(await upsertedMemos(first, handle)).toContainEqual(expect.objectContaining({ continuesAsNew: true }));
      cluster.blocked.clear();
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
  });

  it('are spoken to ten at a time, so that nobody who asks waits behind all of them', async () => {
    const cluster = new FakeCluster(40);
    // All sixteen are in flight when it does.
    cluster.block('lookDrained');
    const { report, spoken } = await harness.run(cluster, manifest('spoken', { refresh: { canary: false, maxUnavailable: 16 } }), async (handle) => {
      await statusWhere(harness.newest(handle), ({ inFlight }) => inFlight.length === 16);
      await talkUntil(handle, await runIdOf(handle));
      cluster.blocked.clear();
      return { report: await handle.result(), spoken: await spokenAtOnce(handle) };
    });
    expect(report).toMatchObject({ state: 'done', tally: { refreshed: 40 } });
    expect(Math.max(...spoken)).toBe(10);
    expect(cluster.violations).toEqual([]);
  });

  it('go on while one is stuck for many runs; what is said of it reaches it', async () => {
    const cluster = new FakeCluster(24);
    cluster.holding.set('i-001', [{ uid: 'held', namespace: 'shop', name: 'db-0', owner: 'StatefulSet db', reason: 'PDB shop/db needs 1 healthy, has 1', since: '2026-01-01T00:00:00Z' }]);
    const report = await harness.run(cluster, manifest('stuck', WIDE), async (handle) => {
      const { inFlight } = await statusWhere(harness.newest(handle), ({ nodes, inFlight }) => nodes.done === 23 && inFlight.length === 1);
      expect(inFlight[0]?.node.instanceId).toBe('i-001');
      expect(await runsOf(handle)).toBeGreaterThan(2);
      await update(handle, 'skip', { node: 'i-001', ...me });
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'partial', tally: { refreshed: 23, 'handed-back': 1 } });
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, labelled: 1, lease: null, guards: [] });
    expect(cluster.violations).toEqual([]);
  });

  it('are handed back by an abort, whichever run started them', async () => {
    const cluster = new FakeCluster(8);
    cluster.block('lookDrained');
    const report = await harness.run(cluster, manifest('aborted', { refresh: { canary: false, maxUnavailable: 4 } }), async (handle) => {
      await statusWhere(harness.newest(handle), (status) => status.inFlight.filter(({ step }) => step === 'drain').length === 4);
      await talkUntil(handle, await runIdOf(handle));
      await update(handle, 'abort', me);
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'aborted', tally: { 'handed-back': 4 } });
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, lease: null, guards: [] });
  });

  it('keep their gates force: all that were open are, and take an approval at once', async () => {
    const cluster = new FakeCluster(3);
    const held = ['i-001', 'i-002', 'i-003'];
    for (const id of held) cluster.holding.set(id, [holdingPod(id)]);
    const report = await harness.run(cluster, manifest('forces', { refresh: { canary: false, maxUnavailable: 3 }, drain: { timeLimitSeconds: 5, onTimeout: 'force' } }), async (handle) => {
      const before = await statusWhere(harness.newest(handle), ({ forces }) => forces.length === 3);
      await talkUntil(handle, await runIdOf(handle));
      const { forces } = await harness.newest(handle).query(statusQuery);
      expect(new Set(forces.map(({ digest }) => digest))).toEqual(new Set(before.forces.map(({ digest }) => digest)));
      for (const { node, digest, pods } of forces) await update(handle, 'approve', { gate: 'force', node: node.name, pods: pods.map(({ namespace, name }) => `${namespace}/${name}`), digest, ...me });
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'done', tally: { refreshed: 3 } });
    expect([...cluster.deleted].sort()).toEqual(held.map((id) => `uid-${id}`));
    expect(cluster.violations).toEqual([]);
  });

  it('and a node whose workflow was terminated meanwhile is not awaited for ever', async () => {
    const cluster = new FakeCluster(4);
    cluster.block('lookDrained');
    const report = await harness.run(cluster, manifest('killed', { refresh: { canary: false, maxUnavailable: 4 } }), async (handle) => {
      await statusWhere(harness.newest(handle), (status) => status.inFlight.filter(({ step }) => step === 'drain').length === 4);
      await talkUntil(handle, await runIdOf(handle));
      await harness.env.client.workflow.getHandle('cilium-migration/killed/node/i-002').terminate('test');
      await update(handle, 'abort', me);
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'aborted', tally: { 'handed-back': 3, unproven: 1 } });
    expect(report.nodes.find(({ node }) => node.instanceId === 'i-002')?.why).toMatch(/its workflow is gone/);
  });
});

/** Settings are changed until the run continues as new: each is a few events. */
async function talkUntil(handle: MigrationHandle, from: string): Promise<void> {
  for (let seconds = 100; (await runIdOf(handle)) === from; seconds++) {
    await update(handle, 'set', { values: { soakSeconds: String(seconds) }, ...me });
    if (seconds > 400) throw new Error('the run never continued as new');
  }
  await continued(handle, from);
  // Else the run would soak for as long as was said last.
  await update(handle, 'set', { values: { soakSeconds: '0' }, ...me });
}

describe.concurrent('what is said while the run continues as new', () => {
  it('is never lost: every signal and every update that was taken is in the report once, in order', async () => {
    const cluster = new FakeCluster(30);
    const said: string[] = [];
    const { report, runs } = await harness.run(cluster, manifest('racing', { refresh: { canary: false, maxUnavailable: 3 }, approvals: ['before-removal'] }), async (handle) => {
      for (let at = 0; (await harness.newest(handle).query(statusQuery)).gate === null; at++) {
        const reason = `signal ${at}`;
        // Refused while it is paused already, or not: such a signal is recorded too.
        await harness.newest(handle).signal(at % 2 === 0 ? 'pause' : 'resume', { by: 'test', reason });
        said.push(reason);
        const value = `update ${at}`;
        await update(handle, 'set', { values: { soakSeconds: '0' }, by: 'test', reason: value });
        said.push(value);
        if (at % 2 === 0) {
          await update(handle, 'resume', { by: 'test', reason: `resumed ${at}` });
          said.push(`resumed ${at}`);
        }
      }
      const { gate } = await statusWhere(harness.newest(handle), (status) => status.gate !== null);
      await update(handle, 'approve', { gate: 'before-removal', digest: gate?.digest, ...me });
      return { report: await handle.result(), runs: await runsOf(handle) };
    });
    expect(runs).toBeGreaterThan(3);
    expect(report.state).toBe('done');
    // The audit keeps the newest 200.
    const heard = report.audit.filter(({ by, verb }) => by === 'test' && verb !== 'approve').map(({ reason }) => reason);
    // Where both reach the first task of a run an update may come before a signal that was sent before it.
    for (const kind of [/^signal/, /^(update|resumed)/]) {
      const of = (all: string[]) => all.filter((reason) => kind.test(reason));
      expect(of(heard)).toEqual(of(said).slice(-of(heard).length));
    }
    expect(heard.length).toBe(Math.min(said.length, 199));
    expect(cluster.violations).toEqual([]);
  }, 180_000);
});
