import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { ManifestInput } from '../../domain/spec/schema.js';
import { migrationWorkflowId } from '../../domain/names.js';
import type { MigrationReport, MigrationStatus } from '../../domain/status.js';
import { standInChart, startLab } from '../../lab/index.js';
import type { Lab, LabOptions } from '../../lab/index.js';
import { startWorkerProcess } from '../../starter/demo/worker-process.js';
import type { WorkerProcess } from '../../starter/demo/worker-process.js';
import { startTemporal } from '../../starter/temporal/server.js';
import type { TemporalServer } from '../../starter/temporal/server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The lab's delays in tests: real enough that order shows, short enough that a migration takes seconds. */
const BRIEF = { bootDelay: 300, agentDelay: 200, podStartDelay: 100, terminationDelay: 100, instanceTerminationDelay: 300, addonDelay: 300 } as const;

/** Path of a real chart of that version beside the checkout; undefined on a machine without it. */
export function realChart(version: string): string | undefined {
  const path = join(root, '..', 'shared', 'charts', `cilium-${version}.tgz`);
  return existsSync(path) ? path : undefined;
}

/** The real chart where it is there, else the lab's stand-in, and says so. */
export function anyChart(version = '1.20.0'): string {
  const real = realChart(version);
  if (!real) console.log(`no ../shared/charts/cilium-${version}.tgz: the lab's stand-in chart is used`);
  return real ?? standInChart();
}

function startBriefLab(options: LabOptions): Promise<Lab> {
  return startLab({ name: `t-${randomUUID().slice(0, 8)}`, nodes: 3, ...BRIEF, ownerPid: process.pid, ...options });
}

export type AwsClientOf<T> = new (settings: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } }) => T;

export function labKube(lab: Lab): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(lab.kubeconfig);
  return config;
}

export function labAws<T>(lab: Lab, make: AwsClientOf<T>): T {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = lab.env;
  return new make({ region: lab.region, endpoint: lab.awsEndpoint, credentials: { accessKeyId, secretAccessKey } });
}

/**
 * What an operator has: a cluster, a Temporal, a worker in a process of its own, and the command. Everything is real but
 * what the lab imitates (docs/lab.md). Everything ends with the test, by process id.
 */
export class Field {
  #worker: WorkerProcess | undefined;
  #server: TemporalServer;
  #client: Client | undefined;
  #beside: Lab[] = [];
  #workersBeside: WorkerProcess[] = [];
  #labEnv: NodeJS.ProcessEnv | undefined;

  private constructor(
    readonly lab: Lab,
    server: TemporalServer,
    readonly folder: string,
  ) {
    this.#server = server;
  }

  static async up(options: LabOptions = {}): Promise<Field> {
    const folder = mkdtempSync(join(tmpdir(), 'ciliate-test-'));
    const server = await startTemporal({ dbFile: join(folder, 'temporal.db') });
    try {
      return new Field(await startBriefLab(options), server, folder);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A second cluster, for the same Temporal, worker and command; it goes down with this field. */
  async beside(options: LabOptions = {}): Promise<Lab> {
    const lab = await startBriefLab(options);
    this.#beside.push(lab);
    return lab;
  }

  async down(): Promise<void> {
    await this.#client?.connection.close();
    await Promise.all([this.stopWorker(), ...this.#workersBeside.map((worker) => worker.stop())]);
    await this.#server.stop();
    await Promise.all([this.lab, ...this.#beside].map((lab) => lab.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What worker and command are given instead of the lab's own environment: nothing of AWS or Kubernetes but what stands here. */
  useEnv(env: NodeJS.ProcessEnv): void {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|KUBECONFIG$)/.test(name));
    this.#labEnv = { ...Object.fromEntries(inherited), PATH: this.lab.env['PATH'], ...env };
  }

  get env(): NodeJS.ProcessEnv {
    return { ...(this.#labEnv ?? { ...process.env, ...this.lab.env }), TEMPORAL_ADDRESS: this.#server.address, TEMPORAL_NAMESPACE: 'default' };
  }

  /** Straight to the API server, past the faults, as cluster-admin. */
  get kube(): KubeConfig {
    return labKube(this.lab);
  }

  /** A client of the AWS SDK on the lab's stand-in. */
  aws<T>(make: AwsClientOf<T>): T {
    return labAws(this.lab, make);
  }

  /** A SPEC file through the fault front, without gates unless asked for. */
  spec(name: string, spec: Partial<ManifestInput['spec']> = {}): string {
    const manifest = {
      apiVersion: 'ciliate.io/v1alpha1',
      kind: 'ClusterMigration',
      metadata: { name },
      spec: {
        cluster: { kubeconfig: this.lab.frontKubeconfig, region: this.lab.region },
        cilium: { version: '1.20.0', chart: anyChart(), clusterName: name, clusterId: 1 },
        approvals: [],
        soakSeconds: 0,
        ...spec,
      },
    };
    const file = join(this.folder, `${name}.yaml`);
    writeFileSync(file, stringify(manifest));
    return file;
  }

  startWorker(): void {
    this.#worker = startWorkerProcess(this.env, join(this.folder, 'worker.log'));
  }

  /** A second worker, on a task queue of its own, until the field goes down. */
  startWorkerOn(taskQueue: string): void {
    this.#workersBeside.push(startWorkerProcess(this.env, join(this.folder, `worker-${taskQueue}.log`), ['--task-queue', taskQueue]));
  }

  /** Returns how it ended. */
  async stopWorker(): Promise<string | undefined> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.stop();
    return worker?.died();
  }

  get workerPid(): number {
    return this.#worker?.pid ?? 0;
  }

  /** SIGKILL, as the kernel's OOM killer does it. */
  async killWorker(): Promise<void> {
    const pid = this.workerPid;
    if (pid > 0) process.kill(pid, 'SIGKILL');
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  workerLog(): string {
    return readFileSync(join(this.folder, 'worker.log'), 'utf8');
  }

  /** SIGKILL of Temporal's dev server; started again on its file and port. */
  async restartTemporal(): Promise<void> {
    const { port, uiPort } = this.#server;
    await this.#client?.connection.close();
    this.#client = undefined;
    await this.#server.kill();
    this.#server = await startTemporal({ dbFile: join(this.folder, 'temporal.db'), ports: { grpc: port, ui: uiPort } });
  }

  async client(): Promise<Client> {
    this.#client ??= new Client({ connection: await Connection.connect({ address: this.#server.address }) });
    return this.#client;
  }

  /** `./ciliate …` as a person types it. Never throws for an exit code. */
  async ciliate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [join(root, 'dist', 'starter', 'bin.js'), ...args], {
      env: this.env,
      extendEnv: false,
      reject: false,
      cwd: this.folder,
    });
    return { code: exitCode, out: stdout, err: stderr };
  }

  async status(name: string): Promise<MigrationStatus> {
    const client = await this.client();
    return client.workflow.getHandle(migrationWorkflowId(name)).query<MigrationStatus>('status');
  }

  /** The report of a run that has ended, however it ended. */
  async report(name: string): Promise<MigrationReport> {
    const handle = (await this.client()).workflow.getHandle(migrationWorkflowId(name));
    await handle.result().catch(() => undefined);
    return handle.query<MigrationReport>('report');
  }

  /** Starts a migration and waits for its end. */
  async migrate(file: string, name: string): Promise<MigrationReport> {
    const { code, err } = await this.ciliate('start', '-f', file);
    if (code !== 0) throw new Error(`start ended with ${code}: ${err}`);
    return this.report(name);
  }

  /** Waits on a condition of the status, never for luck. */
  async statusWhere(name: string, is: (status: MigrationStatus) => boolean, timeout = 90_000): Promise<MigrationStatus> {
    const end = Date.now() + timeout;
    let last: unknown;
    for (;;) {
      const status = await this.status(name).catch((error: unknown) => void (last = error));
      if (status) {
        last = status;
        if (is(status)) return status;
      }
      if (Date.now() > end) throw new Error(`the status never became what was awaited: ${last instanceof Error ? last.message : JSON.stringify(last, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
