import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { MIGRATE_CLUSTER, migrationWorkflowId } from '../../../domain/names.js';
import type { MigrationReport } from '../../../domain/status.js';
import { startTemporal } from '../../../starter/temporal/server.js';
import { registerSearchAttributes } from '../../../worker/search-attributes.js';
import { peakRss } from '../rss.js';
import { manifest } from '../../workflow/fakeCluster.js';
import { bundleWorkflows } from '../bundle.js';
import { watchRun } from './watchRun.js';
import type { Seen } from './watchRun.js';

export interface Simulated extends Seen {
  nodes: number;
  'in flight': number;
  outcome: string;
  refreshed: number;
  seconds: number;
  'node: most events': number;
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
    worker = fork(await builtWorker(), [server.address, 'scale', codePath, String(asked.nodes), String(asked.stepMs)], { execArgv: ['--optimize-for-size', '--max-semi-space-size=8'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
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
  const late = async (): Promise<void> => {
    await handle.signal('pause', { by: 'test', reason: 'out of time' });
    await handle.cancel();
  };
  const seen = await watchRun(client, { migration: 'scale', late: { ms: asked.withinMs, act: late }, say: asked.say });
  const report = (await handle.result()) as MigrationReport;
  const seconds = Math.round((Date.now() - started) / 1000);
  worker.send('tell');
  const [told] = (await once(worker, 'message')) as [{ refreshed: number; widest: number; violations: string[]; filed: number; cpuSeconds: number }];
  const sample = await Promise.all(report.nodes.slice(-20).map(({ node }) => client.workflow.getHandle(`${workflowId}/node/${node.instanceId}`).describe()));
  const lost = nodes === report.tally.refreshed && told.filed + report.nodes.length !== nodes ? [`${told.filed} filed and ${report.nodes.length} with the run are not ${nodes}`] : [];
  const problems = [...told.violations, ...lost];
  return {
    nodes,
    'in flight': told.widest,
    outcome: problems.length > 0 ? problems.join('; ') : report.state,
    refreshed: report.tally.refreshed ?? 0,
    seconds,
    ...seen,
    'node: most events': Math.max(...sample.map(({ historyLength }) => historyLength)),
    'worker peak RSS MiB': peakRss(worker.pid ?? 0),
    'worker CPU ms a node': Math.round((1000 * told.cpuSeconds) / Math.max(1, report.tally.refreshed ?? 0)),
  };
}
