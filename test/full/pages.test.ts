import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { update } from '../../starter/run/update.js';
import { checkpointQuery } from '../../workflows/messages.js';
import type { Book } from '../../workflows/migration/book.js';
import { FakeCluster, manifest } from '../workflow/fakeCluster.js';
import { Harness, statusWhere } from '../workflow/harness.js';

/** A server that suggests to continue as new after few events: many runs. */
let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=150']);
});
afterAll(() => harness.stop());

it('a long run files what it did long ago, a page at a time, and its checkpoint stays small', async () => {
  const cluster = new FakeCluster(230);
  const taskQueue = randomUUID();
  const worker = await harness.worker(cluster, taskQueue, 100);
  const { report, bytes } = await worker.runUntil(async () => {
    const handle = await harness.start(manifest('paged', { refresh: { canary: false, maxUnavailable: 30 }, approvals: ['before-removal'] }), taskQueue);
    const { gate, nodes } = await statusWhere(harness.newest(handle), (status) => status.gate !== null, 400_000);
    expect(nodes).toMatchObject({ done: 230, pages: 1 });
    const book = (await harness.newest(handle).query(checkpointQuery)) as Book;
    await update(handle, 'approve', { gate: 'before-removal', digest: gate?.digest, by: 'test', reason: 'because' });
    return { report: await handle.result(), bytes: JSON.stringify(book).length };
  });
  expect(report).toMatchObject({ state: 'done', tally: { refreshed: 230 }, filed: { pages: 1 } });
  const filed = [...cluster.pages.values()].flat();
  expect(filed).toHaveLength(100);
  expect(new Set([...filed, ...report.nodes].map(({ node }) => node.instanceId)).size).toBe(230);
  expect(bytes).toBeLessThan(128 * 1024);
  expect(cluster.violations).toEqual([]);
}, 480_000);
