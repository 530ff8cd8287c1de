import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { MIGRATE_CLUSTER, migrationWorkflowId } from '../../../domain/names.js';
import type { MigrationReport, MigrationStatus } from '../../../domain/status.js';
import { startTemporal } from '../../../starter/temporal/server.js';
import { registerSearchAttributes } from '../../../worker/search-attributes.js';
import { peakRss } from '../rss.js';
import { manifest } from '../../workflow/fakeCluster.js';
import { bundleWorkflows } from '../bundle.js';

/** Temporal warns of histories beyond these (limit.historyCount.warn, limit.historySize.warn, limit.blobSize.warn). */
export const WARNS = { events: 10_240, bytes: 10 * 2 ** 20, payload: 512 * 2 ** 10 };

export interface Simulated {
  nodes: number;
  'in flight': number;
  outcome: string;
  refreshed: number;
  seconds: number;
  runs: number;
  /** Of the migration's longest run. */
  'most events': number;
  'most KiB of history': number;
  'biggest payload KiB': number;
  'node: most events': number;
  'status p50 ms': number;
  'status p99 ms': number;
  'status max ms': number;
  'status KiB': number;
  'worker peak RSS MiB': number;
  'worker CPU ms a node': number;
}

export interface Asked {
  nodes: number;
  inFlight: number;
  stepMs: number;
  /** The run is aborted after so long, and what was seen until then is told. */
  withinMs: number;
  say?: (line: string) => void;
}

/** A migration of simulated nodes on a dev server of its own, by a worker in a process of its own; asked for its status all the time. */
export async function simulate(asked: Asked): Promise<Simulated> {
  const server = await startTemporal();
  let worker: ChildProcess | undefined;
  const connection = await Connection.connect({ address: server.address });
  try {
    const native = await NativeConnection.connect({ address: server.address });
    await registerSearchAttributes(native, 'default');
    await native.close();
    const { codePath } = await bundleWorkflows();
    worker = fork(await builtWorker(), [server.address, 'scale', codePath, String(asked.nodes), String(asked.stepMs)], { execArgv: ['--optimize-for-size', '--max-semi-space-size=2'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(worker, 'message');
    return await observed(asked, new Client({ connection }), worker);
  } finally {
    await connection.close();
    if (worker?.connected) {
      worker.disconnect();
      await once(worker, 'exit');
    }
    await server.stop();
  }
}

/** Transpiled before it starts, as `ciliate worker` is: a transpiler in the process would be part of its memory. */
async function builtWorker(): Promise<string> {
  const outfile = fileURLToPath(new URL('../../../node_modules/.cache/ciliate-test/scale-worker.mjs', import.meta.url));
  await build({ entryPoints: [fileURLToPath(new URL('./worker.ts', import.meta.url))], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' });
  return outfile;
}

async function observed(asked: Asked, client: Client, worker: ChildProcess): Promise<Simulated> {
  const { nodes, inFlight } = asked;
  const workflowId = migrationWorkflowId('scale');
  const started = Date.now();
  const handle = await client.workflow.start(MIGRATE_CLUSTER, { taskQueue: 'scale', workflowId, args: [manifest('scale', { refresh: { canary: false, maxUnavailable: inFlight } })] });
  const { latencies, bytes } = await watched(asked, client, started);
  const report = (await handle.result()) as MigrationReport;
  const seconds = Math.round((Date.now() - started) / 1000);
  worker.send('tell');
  const [told] = (await once(worker, 'message')) as [{ refreshed: number; widest: number; violations: string[]; filed: number; cpuSeconds: number }];
  const histories = await historiesOf(client, workflowId);
  const sample = await Promise.all(report.nodes.slice(-20).map(({ node }) => client.workflow.getHandle(`${workflowId}/node/${node.instanceId}`).describe()));
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  const lost = nodes === report.tally.refreshed && told.filed + report.nodes.length !== nodes ? [`${told.filed} filed and ${report.nodes.length} with the run are not ${nodes}`] : [];
  const problems = [...told.violations, ...lost];
  return {
    nodes,
    'in flight': told.widest,
    outcome: problems.length > 0 ? problems.join('; ') : report.state,
    refreshed: report.tally.refreshed ?? 0,
    seconds,
    runs: histories.length,
    'most events': Math.max(...histories.map(({ events }) => events)),
    'most KiB of history': kib(Math.max(...histories.map((history) => history.bytes))),
    'biggest payload KiB': kib(Math.max(...histories.map(({ payload }) => payload))),
    'node: most events': Math.max(...sample.map(({ historyLength }) => historyLength)),
    'status p50 ms': at(0.5),
    'status p99 ms': at(0.99),
    'status max ms': at(1),
    'status KiB': kib(bytes),
    'worker peak RSS MiB': peakRss(worker.pid ?? 0),
    'worker CPU ms a node': Math.round((1000 * told.cpuSeconds) / Math.max(1, report.tally.refreshed ?? 0)),
  };
}

/** Asks for the status until the run is over. */
async function watched(asked: Asked, client: Client, started: number): Promise<{ latencies: number[]; bytes: number }> {
  const handle = client.workflow.getHandle(migrationWorkflowId('scale'));
  const latencies: number[] = [];
  let bytes = 0;
  let aborted = false;
  let saidAt = 0;
  for (;;) {
    const before = performance.now();
    const status = await handle.query<MigrationStatus>('status').catch((error: unknown) => {
      asked.say?.(`no status: ${error instanceof Error ? error.message : String(error)}`);
    });
    latencies.push(performance.now() - before);
    if (status === undefined) continue;
    bytes = Math.max(bytes, JSON.stringify(status).length);
    if (Date.now() - saidAt > 30_000) {
      saidAt = Date.now();
      asked.say?.(`${Math.round((saidAt - started) / 1000)} s: ${status.nodes.done} done, ${status.nodes.counts.inFlight} in flight, ${status.nodes.pages} pages, status in ${Math.round(latencies.at(-1) ?? 0)} ms`);
    }
    if (!['running', 'aborting'].includes(status.state)) return { latencies, bytes };
    if (!aborted && Date.now() - started > asked.withinMs) {
      aborted = true;
      await handle.signal('pause', { by: 'test', reason: 'out of time' });
      await handle.cancel();
    }
    await sleep(500);
  }
}

interface HistorySeen {
  events: number;
  bytes: number;
  payload: number;
}

/** Of each run of the migration. */
async function historiesOf(client: Client, workflowId: string): Promise<HistorySeen[]> {
  const seen: HistorySeen[] = [];
  let runId: string | undefined;
  do {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { historyLength, historySize = 0, runId: own } = await handle.describe();
    const { events } = await client.workflow.getHandle(workflowId, own).fetchHistory();
    seen.push({ events: historyLength, bytes: historySize, payload: biggestPayload(events) });
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return seen;
}

/** Longest byte string in it. */
function biggestPayload(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((most: number, each) => Math.max(most, biggestPayload(each)), 0);
}

function kib(bytes: number): number {
  return Math.round(bytes / 102.4) / 10;
}
