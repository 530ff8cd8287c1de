import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import pc from 'picocolors';
import { renderReport } from '../../domain/report/index.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { MigrationReport } from '../../domain/status.js';
import { cacheRoot, LabUnreachableError, labsRoot, LabUsageError } from '../../lab/index.js';
import { withClient } from '../client.js';
import { untilStopped } from '../dev/stop.js';
import { diskFullError, usedUp } from '../disk.js';
import { EXIT, failedError, unreachableError, usageError } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { findRun } from '../run/handle.js';
import { startMigration } from '../run/start.js';
import { readReport } from '../run/status.js';
import { DEMO_CILIUM_VERSION } from './chart.js';
import { follow } from './follow.js';
import { keep } from './kept.js';
import { proofs } from './proofs.js';
import { buildStage, emptyStage, stageExports, strikeStage } from './stage.js';
import type { Stage } from './stage.js';

export interface DemoOptions {
  keep?: boolean;
  chart?: string;
  nodes: number;
}

/**
 * The whole product on a lab, from nothing: builds the stage, migrates, answers the gates by itself, prints what was proved and
 * where the report is, and takes everything down again (unless it is to be kept). Ctrl-C cleans up.
 */
export async function demo(options: DemoOptions): Promise<ExitCode> {
  const started = Date.now();
  const stopped = untilStopped();
  const stage = emptyStage();
  const name = `demo-${process.pid}`;
  let kept = false;
  try {
    const work = perform(stage, { ...options, name, signal: stopped.signal });
    const ended = await Promise.race([work, stopped.reason.then(() => undefined)]);
    if (ended === undefined) {
      console.error('\nstopping …');
      // What is being started must be up before it can be taken down.
      await work.catch(() => {});
      return EXIT.failed;
    }
    conclude(ended, Math.round((Date.now() - started) / 1000));
    if (options.keep) {
      keepUp(stage, name);
      kept = true;
    }
    return ended.report.state === 'done' && ended.witness.wrong.length === 0 ? EXIT.done : EXIT.failed;
  } catch (error) {
    throw explained(error, stage);
  } finally {
    if (!kept) await strikeStage(stage);
  }
}

interface Performance {
  report: MigrationReport;
  witness: { seen: string[]; wrong: string[] };
  reportPath: string;
}

async function perform(stage: Stage, options: DemoOptions & { name: string; signal: AbortSignal }): Promise<Performance> {
  const { name, nodes, chart, keep: keepIt = false, signal } = options;
  await buildStage(stage, { name, nodes, keep: keepIt, signal, ...(chart === undefined ? {} : { chart }) });
  return withClient(async ({ client }) => {
    await startMigration(client, manifestFor(stage, name));
    await follow(client, { migration: name, worker: stage.worker, signal });
    const report = await readReport(client, await findRun(client, name));
    if (report === undefined) throw failedError('the migration left no report');
    const reportPath = resolve(`ciliate-report-${name}.md`);
    writeFileSync(reportPath, renderReport(report, 'markdown'));
    writeFileSync(reportPath.replace(/md$/, 'json'), renderReport(report, 'json'));
    return { report, witness: await proofs(stage), reportPath };
  });
}

function manifestFor(stage: Stage, name: string): Manifest {
  const { lab, chart } = stage;
  if (lab === undefined || chart === undefined) throw failedError('the stage is not complete');
  return manifestSchema.parse({
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'ClusterMigration',
    metadata: { name },
    spec: {
      cluster: { kubeconfig: lab.kubeconfig, region: lab.region },
      cilium: { version: DEMO_CILIUM_VERSION, clusterName: name, clusterId: 1, ...(chart.chart === undefined ? {} : { chart: chart.chart }) },
      soakSeconds: 3,
    },
  });
}

function conclude({ report, witness, reportPath }: Performance, seconds: number): void {
  const good = report.state === 'done' && witness.wrong.length === 0;
  console.log(`\n${good ? pc.green('DONE') : pc.red(report.state.toUpperCase())} in ${seconds} s: ${report.counts.cilium} nodes on Cilium, ${report.counts.aws} on aws-node`);
  if (report.problem !== null) console.log(pc.red(report.problem));
  console.log(pc.bold('\nWhat the migration proved'));
  for (const line of report.proofs) console.log(`  ${pc.green('✔')} ${line}`);
  console.log(pc.bold('\nWhat the lab saw from outside'));
  for (const line of witness.seen) console.log(`  ${pc.green('✔')} ${line}`);
  for (const line of witness.wrong) console.log(`  ${pc.red('✘')} ${line}`);
  console.log(`\nReport: ${reportPath} (and .json)`);
}

function keepUp(stage: Stage, name: string): void {
  keep({ name, lab: name, folder: stage.folder, pids: [stage.worker?.pid, stage.server?.pid].filter((pid) => pid !== undefined) });
  stage.worker?.detach();
  stage.server?.detach();
  if (stage.server !== undefined) console.log(`\nTemporal's UI: ${stage.server.uiUrl}/namespaces/default/workflows`);
  console.log('Everything is still up. To look around:\n');
  for (const [key, value] of Object.entries(stageExports(stage))) {
    const text = key === 'PATH' ? `'${stage.lab?.toolsDir ?? ''}':"$PATH"` : `'${value.replaceAll("'", `'\\''`)}'`;
    console.log(`  export ${key}=${text}`);
  }
  console.log(`\nTo stop it: ciliate demo --stop`);
}

function explained(error: unknown, { folder }: Stage): unknown {
  if (error instanceof LabUsageError) return usageError(error.message);
  const full = usedUp([folder, labsRoot(), cacheRoot()]);
  if (full !== undefined) return diskFullError(full);
  if (error instanceof LabUnreachableError) return unreachableError(error.message, error);
  return error;
}
