import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Listr, ListrLogger } from 'listr2';
import type { ListrTask } from 'listr2';
import { checkTools, ensureControlPlane, ensurePython, startLab } from '../../lab/index.js';
import type { Lab } from '../../lab/index.js';
import { temporalConfig } from '../../worker/config.js';
import { canRedraw } from '../view/screen.js';
import { startTemporal } from '../temporal/server.js';
import type { TemporalServer } from '../temporal/server.js';
import { demoChart } from './chart.js';
import type { DemoChart } from './chart.js';
import { startWorkerProcess, untilReady } from './worker-process.js';
import type { WorkerProcess } from './worker-process.js';

export interface StageOptions {
  name: string;
  nodes: number;
  chart?: string;
  keep: boolean;
  /** Nothing more is started once it fires. */
  signal: AbortSignal;
}

/** Everything that a demo runs on; what is not there was not started yet. */
export interface Stage {
  folder: string;
  address?: string;
  server?: TemporalServer;
  lab?: Lab;
  chart?: DemoChart;
  worker?: WorkerProcess;
}

/** One piece: what to start, and how to tell of it. The text it returns becomes its title. */
interface Piece {
  title: string;
  start(tell: (line: string) => void): Promise<string | undefined>;
}

/** Temporal's database and the logs take a few megabytes; with --keep they go on growing. */
const TEMPORARY_MB = 100;

/** Builds the stage piece by piece, with progress. `stage` is filled as pieces come up, so that a half-built one can be struck. */
export async function buildStage(stage: Stage, options: StageOptions): Promise<void> {
  const tasks = pieces(stage, options).map(({ title, start }): ListrTask => ({
    title,
    rendererOptions: { bottomBar: 1 },
    task: async (_, task) => {
      options.signal.throwIfAborted();
      task.title = (await start((line) => (task.output = line))) ?? title;
    },
  }));
  await new Listr(tasks, {
    registerSignalListeners: false,
    // Why a piece failed is said once, on stderr, by whoever ends the demo.
    rendererOptions: { showErrorMessage: false },
    fallbackRendererCondition: () => !canRedraw(process.stdout),
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger: new ListrLogger({ useIcons: true, toStderr: [] }) },
  }).run();
}

function pieces(stage: Stage, options: StageOptions): Piece[] {
  // A repository that cannot be reached says nothing for a while: asked as soon as there is a helm, and beside the rest.
  let chart: Promise<DemoChart>;
  return [
    { title: 'Tools of this machine', start: async () => void (await checkTools([{ dir: tmpdir(), megabytes: TEMPORARY_MB, setting: 'TMPDIR' }])) },
    {
      title: 'Control plane of the lab (built once, cached)',
      start: async (tell) => {
        await controlPlane(tell);
        chart = demoChart(options.chart);
        chart.catch(() => {}); // said when it is its turn
        return undefined;
      },
    },
    { title: 'AWS stand-in (installed once, cached)', start: async (tell) => void (await ensurePython(tell)) },
    { title: 'Temporal', start: (tell) => temporal(stage, tell) },
    { title: `Lab cluster: ${options.nodes} nodes in 3 zones, workloads with PodDisruptionBudgets`, start: (tell) => lab(stage, options, tell) },
    { title: 'Chart', start: async () => `Chart: ${(stage.chart = await chart).said}` },
    { title: 'Worker, in a process of its own', start: () => worker(stage) },
  ];
}

async function worker(stage: Stage): Promise<undefined> {
  const log = join(stage.folder, 'worker.log');
  stage.worker = startWorkerProcess(workerEnv(stage), log);
  await untilReady(stage.worker, log);
}

async function controlPlane(tell: (line: string) => void): Promise<void> {
  const tools = await ensureControlPlane(tell);
  // For this process too: the chart is looked at with the lab's helm.
  process.env['PATH'] = `${tools}${delimiter}${process.env['PATH'] ?? ''}`;
}

async function lab(stage: Stage, options: StageOptions, tell: (line: string) => void): Promise<undefined> {
  const owner = options.keep ? {} : { ownerPid: process.pid };
  stage.lab = await startLab({ name: options.name, nodes: options.nodes, zones: 3, ...owner }, tell);
}

/** Takes down whatever is up: Temporal last, since a worker still has something to tell it. Tells what does not go, and goes on. */
export async function strikeStage(stage: Stage): Promise<void> {
  const strike = async (name: string, stop: (() => Promise<void>) | undefined): Promise<void> => {
    await stop?.().catch((error: Error) => console.error(`${name} could not be stopped: ${error.message}`));
  };
  await Promise.all([strike('worker', stage.worker?.stop), strike('lab', stage.lab?.stop)]);
  await strike('Temporal', stage.server?.stop);
  rmSync(stage.folder, { recursive: true, force: true });
}

export function emptyStage(): Stage {
  return { folder: mkdtempSync(join(tmpdir(), 'ciliate-demo-')) };
}

/** What a shell needs to look around in a demo that was kept. */
export function stageExports(stage: Stage): Record<string, string> {
  return { TEMPORAL_ADDRESS: stage.address ?? '', ...stage.lab?.env };
}

function workerEnv(stage: Stage): NodeJS.ProcessEnv {
  return { ...process.env, CILIATE_LOG: 'info', ...stage.lab?.env, ...(stage.server === undefined ? {} : { TEMPORAL_ADDRESS: stage.server.address, TEMPORAL_NAMESPACE: 'default' }) };
}

async function temporal(stage: Stage, tell: (line: string) => void): Promise<string> {
  if (process.env['TEMPORAL_ADDRESS'] !== undefined) {
    stage.address = temporalConfig().address;
    return `Temporal at ${stage.address} (TEMPORAL_ADDRESS)`;
  }
  stage.server = await startTemporal({ dbFile: join(stage.folder, 'temporal.db'), say: tell });
  stage.address = stage.server.address;
  // For the client of this process.
  process.env['TEMPORAL_ADDRESS'] = stage.server.address;
  return `Temporal at ${stage.address}`;
}
