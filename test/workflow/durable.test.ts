import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../activities/api.js';
import { checkpointQuery, pauseSignal, resumeSignal } from '../../workflows/messages.js';
import { FakeCluster, failure, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

async function undisturbed(): Promise<object> {
  const cluster = new FakeCluster(2);
  await harness.run(cluster, manifest('undisturbed'), (handle) => handle.result());
  return cluster.snapshot();
}

describe.concurrent('a migration goes on and ends the same', () => {
  it('when every workflow task is replayed from its start', async () => {
    const cluster = new FakeCluster(2);
    const taskQueue = randomUUID();
    const worker = await harness.worker(cluster, taskQueue, 0);
    await worker.runUntil(async () => (await harness.start(manifest('replayed'), taskQueue)).result());
    expect(cluster.snapshot()).toEqual(await undisturbed());
    expect(cluster.violations).toEqual([]);
  });

  it('when every activity fails once with an outage before it does anything', async () => {
    const cluster = new FakeCluster(2);
    for (const name of Object.keys(cluster.activities())) cluster.fail(name as keyof Activities, failure('Transient', 'connection refused'));
    const report = await harness.run(cluster, manifest('outage'), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(cluster.snapshot()).toEqual(await undisturbed());
  });

  it('when every activity runs twice (its first answer lost)', async () => {
    const cluster = new FakeCluster(2);
    const lost = new Set<string>();
    const once = cluster.activities();
    const twice = Object.fromEntries(
      Object.entries(once).map(([name, act]) => [
        name,
        async (input: unknown) => {
          const result: unknown = await (act as (input: unknown) => Promise<unknown>)(input);
          const key = `${name} ${JSON.stringify(input)}`;
          if (lost.has(key)) return result;
          lost.add(key);
          throw failure('Transient', 'the answer was lost');
        },
      ]),
    );
    const taskQueue = randomUUID();
    const worker = await harness.worker({ activities: () => twice }, taskQueue);
    const report = await worker.runUntil(async () => (await harness.start(manifest('twice'), taskQueue)).result());
    expect(report.state).toBe('done');
    expect(cluster.snapshot()).toEqual(await undisturbed());
    expect(cluster.violations).toEqual([]);
  });

  it('when signals land with no worker alive', async () => {
    const cluster = new FakeCluster(1);
    const taskQueue = randomUUID();
    const handle = await harness.start(manifest('no-worker'), taskQueue);
    await handle.signal(pauseSignal, { by: 'test', reason: 'nobody home' });
    const worker = await harness.worker(cluster, taskQueue);
    await worker.runUntil(async () => {
      await statusWhere(handle, (status) => status.state === 'paused' && status.phase === 'preflight');
      expect(cluster.calls).not.toContain('takeLease');
      await handle.signal(resumeSignal, { by: 'test', reason: 'back' });
      return handle.result();
    });
    expect(cluster.snapshot()).toMatchObject({ cilium: 'final' });
  });
});

describe.concurrent('continue-as-new', () => {
  it('happens between nodes when the server suggests it, and loses nothing', async () => {
    const small = await Harness.start(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=120']);
    try {
      const cluster = new FakeCluster(4);
      const { report, firstRun, lastRun } = await small.run(cluster, manifest('long', { approvals: ['before-removal'] }), async (handle) => {
        const { gate } = await statusWhere(handle, (status) => status.gate !== null);
        await handle.signal('approve', { gate: 'before-removal', digest: gate?.digest, by: 'test', reason: 'seen' });
        const result = await handle.result();
        return { report: result, firstRun: handle.firstExecutionRunId, lastRun: (await handle.describe()).runId };
      });
      expect(lastRun).not.toBe(firstRun);
      expect(report.state).toBe('done');
      expect(report.nodes.map((node) => node.outcome)).toEqual(['refreshed', 'refreshed', 'refreshed', 'refreshed']);
      expect(report.audit.map((entry) => entry.verb)).toEqual(['approve']);
      expect(cluster.violations).toEqual([]);
    } finally {
      await small.stop();
    }
  });

  it('goes on in the phase of the checkpoint, with its gate still open for the same digest', async () => {
    const cluster = new FakeCluster(2);
    const taskQueue = randomUUID();
    const worker = await harness.worker(cluster, taskQueue);
    const report = await worker.runUntil(async () => {
      const first = await harness.start(manifest('checkpoint', { approvals: ['before-removal'] }), taskQueue);
      const status = await statusWhere(first, ({ gate }) => gate !== null);
      const book = await first.query(checkpointQuery);
      await first.terminate('test takes over from its checkpoint');
      expect(status.nodes.done).toBe(2);
      const second = await harness.env.client.workflow.start('migrateCluster', {
        taskQueue,
        workflowId: first.workflowId,
        args: [manifest('checkpoint', { approvals: ['before-removal'] }), book],
      });
      const open = await statusWhere(second, ({ gate }) => gate !== null);
      expect(open.gate?.digest).toBe(status.gate?.digest);
      await second.signal('approve', { gate: 'before-removal', digest: open.gate?.digest, by: 'test', reason: 'seen' });
      return (await second.result()) as { state: string; nodes: unknown[] };
    });
    expect(report.state).toBe('done');
    expect(report.nodes).toHaveLength(2);
    expect(cluster.violations).toEqual([]);
  });
});
