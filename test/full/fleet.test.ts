import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleetWorkflowId, migrationWorkflowId, RUN_FLEET } from '../../domain/names.js';
import type { runFleet } from '../../workflows/index.js';
import { resultRows } from '../support/fields.js';
import { FakeFleet, fleetInput } from '../workflow/fakeFleet.js';
import { Harness } from '../workflow/harness.js';

const SIZE = Number(process.env['CILIATE_FLEET_SIZE'] ?? 500);
const AT_ONCE = 12;
/** Every so many-th cluster is migrated node by node; the others find that they are done. 1: all of them, about a cluster a second. */
const WHOLE = Number(process.env['CILIATE_FLEET_WHOLE'] ?? 10);
/** Temporal's warning limits. */
const WARNING = { events: 10_240, bytes: 10 * 2 ** 20, payload: 256 * 1024 };

const rows = resultRows('fleet', {
  title: `A fleet of ${SIZE} clusters`,
  about: [
    `${SIZE} clusters, one of them the canary, then ${AT_ONCE} at a time, on Temporal's dev server with one worker. Workflows, looks and messages are the product's; what the activities`,
    `do to a cluster is simulated: one in ${WHOLE} has a node to refresh and goes all the way, one in ten fails its preflight and is within the budget, the others find that they are done.`,
    'Histories of every run of the fleet (it continues as new with clusters under way);',
    `Temporal warns at ${WARNING.events} events, ${WARNING.bytes / 2 ** 20} MiB, and ${WARNING.payload / 1024} KiB a payload. Times say nothing about real clusters.`,
  ],
});

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

describe('a big fleet', () => {
  it(`of ${SIZE} clusters ends with every history below Temporal's warning limits`, async () => {
    const names = Array.from({ length: SIZE }, (_, index) => `cluster-${String(index).padStart(3, '0')}`);
    const failing = names.filter((_, index) => index % 10 === 7);
    const fleet = new FakeFleet(names);
    names.forEach((name, index) => {
      if (index % WHOLE !== 0) fleet.cluster(name).plan = { mode: 'done' };
    });
    for (const name of failing) fleet.cluster(name).plan = { blocked: true, findings: [] };
    const spec = (name: string): object => ({ name, spec: { cluster: { kubeconfig: `/clusters/of/the/fleet/${name}/kubeconfig` }, cilium: { clusterName: name } } });
    const [canary = '', ...rest] = names;
    const input = fleetInput('big', [{ name: 'canary', clusters: [spec(canary)] }, { name: 'rest', maxInFlight: AT_ONCE, clusters: rest.map(spec) }], {
      failureBudget: failing.length,
      shared: { cilium: { version: '1.20.0' }, soakSeconds: 0, approvals: [] },
    });
    const worker = await harness.worker(fleet, 'big', 200);
    await worker.runUntil(async () => {
      const started = Date.now();
      const handle = await harness.env.client.workflow.start<typeof runFleet>(RUN_FLEET, { taskQueue: 'big', workflowId: fleetWorkflowId('big'), args: [input] });
      const status = await handle.result();
      const seconds = Math.round((Date.now() - started) / 1000);
      expect(status).toMatchObject({ state: failing.length > 0 ? 'partial' : 'done', rings: [{ done: 1 }, { done: SIZE - 1 - failing.length, failed: failing.length }] });
      expect(fleet.violations).toEqual([]);

      const runs = await runsOf(handle.firstExecutionRunId);
      const clusters = await Promise.all(names.slice(0, 20).map(async (name) => (await harness.env.client.workflow.getHandle(migrationWorkflowId(name)).describe()).historyLength));
      const most = (of: (run: RunSize) => number): number => Math.max(...runs.map(of));
      rows.push({
        clusters: SIZE,
        seconds,
        'runs of the fleet': runs.length,
        'events in all': runs.reduce((sum, run) => sum + run.events, 0),
        'most events a run': most(({ events }) => events),
        'largest run, KiB': Math.round(most(({ bytes }) => bytes) / 1024),
        'largest event, KiB': Math.round(most(({ largest }) => largest) / 1024),
        'status, KiB': Math.round(JSON.stringify(status).length / 1024),
        'events a cluster, most': Math.max(...clusters),
      });
      expect(most(({ events }) => events)).toBeLessThan(WARNING.events);
      expect(most(({ bytes }) => bytes)).toBeLessThan(WARNING.bytes);
      expect(most(({ largest }) => largest)).toBeLessThan(WARNING.payload);
    });
  });
});

interface RunSize {
  events: number;
  bytes: number;
  largest: number;
}

/** Every run of the fleet, from the first on. */
async function runsOf(firstRunId: string): Promise<RunSize[]> {
  const sizes: RunSize[] = [];
  let runId = firstRunId;
  while (runId !== '') {
    const history: temporal.api.history.v1.IHistory = await harness.env.client.workflow.getHandle(fleetWorkflowId('big'), runId).fetchHistory();
    const events = history.events ?? [];
    const bytes = events.map((event) => temporal.api.history.v1.HistoryEvent.encode(event).finish().length);
    sizes.push({ events: bytes.length, bytes: bytes.reduce((sum, size) => sum + size, 0), largest: Math.max(...bytes) });
    runId = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
  }
  return sizes;
}

