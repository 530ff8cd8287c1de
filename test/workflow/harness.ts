import { randomUUID } from 'node:crypto';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { MIGRATE_CLUSTER, migrationWorkflowId, ROLLBACK_CLUSTER } from '../../domain/names.js';
import type { ManifestInput } from '../../domain/spec/schema.js';
import type { MigrationStatus } from '../../domain/status.js';
import { noAnswer } from '../../starter/run/handle.js';
import { startTemporal } from '../../starter/temporal/server.js';
import type { TemporalServer } from '../../starter/temporal/server.js';
import { registerSearchAttributes } from '../../worker/search-attributes.js';
import { statusQuery } from '../../workflows/messages.js';
import type { migrateCluster } from '../../workflows/index.js';
import { bundleWorkflows } from '../support/bundle.js';
import type { FakeCluster } from './fakeCluster.js';

export type MigrationHandle = WorkflowHandleWithFirstExecutionRunId<typeof migrateCluster>;

/** One dev server a test file; a worker and a task queue of its own for every test. */
export class Harness {
  private constructor(
    readonly env: TestWorkflowEnvironment,
    readonly server: TemporalServer,
    readonly bundle: WorkflowBundleOption,
  ) {}

  /** The server is started by our own code, which waits as long as a busy machine takes. */
  static async start(args: string[] = []): Promise<Harness> {
    quiet();
    const server = await startTemporal({ args });
    const env = await TestWorkflowEnvironment.createFromExistingServer({ address: server.address });
    const { registered, said } = await registerSearchAttributes(env.nativeConnection, 'default');
    if (!registered) throw new Error(said);
    return new Harness(env, server, await bundleWorkflows());
  }

  async stop(): Promise<void> {
    await this.env.teardown();
    await this.server.stop();
  }

  /** `maxCachedWorkflows: 0` replays every workflow task from the start, as after a crash: what is not deterministic shows. */
  worker(cluster: { activities(): object }, taskQueue: string, maxCachedWorkflows = 50): Promise<Worker> {
    return Worker.create({
      connection: this.env.nativeConnection,
      taskQueue,
      workflowBundle: this.bundle,
      activities: cluster.activities(),
      maxCachedWorkflows,
      // Workflow code runs in this thread: a thread a worker costs more than most tests do. In the lab it runs as it does for users.
      debugMode: true,
    });
  }

  /** A handle to whichever run is open. */
  newest(handle: MigrationHandle): MigrationHandle {
    return this.env.client.workflow.getHandle(handle.workflowId) as unknown as MigrationHandle;
  }

  start(manifest: ManifestInput | object, taskQueue: string, name?: string): Promise<MigrationHandle> {
    return this.env.client.workflow.start<typeof migrateCluster>(MIGRATE_CLUSTER, {
      taskQueue,
      workflowId: migrationWorkflowId(name ?? `m-${randomUUID().slice(0, 8)}`),
      args: [manifest],
    });
  }

  /** The same for the way back. */
  async runRollback<T>(cluster: FakeCluster, manifest: object, steps: (handle: MigrationHandle) => Promise<T>): Promise<T> {
    const taskQueue = randomUUID();
    const worker = await this.worker(cluster, taskQueue);
    const workflowId = migrationWorkflowId(`m-${randomUUID().slice(0, 8)}`);
    return worker.runUntil(async () => steps(await this.env.client.workflow.start<typeof migrateCluster>(ROLLBACK_CLUSTER, { taskQueue, workflowId, args: [manifest] })));
  }

  /** Runs a test's steps beside a worker, and ends both. */
  async run<T>(cluster: { activities(): object }, manifest: object, steps: (handle: MigrationHandle) => Promise<T>): Promise<T> {
    const taskQueue = randomUUID();
    const worker = await this.worker(cluster, taskQueue);
    return worker.runUntil(async () => steps(await this.start(manifest, taskQueue)));
  }
}

let installed = false;
function quiet(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}

/** Waits on a condition of the status, never for luck. The last status is in the error. */
export async function statusWhere(handle: MigrationHandle, is: (status: MigrationStatus) => boolean, withinMs = 90_000): Promise<MigrationStatus> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    // On a busy machine an answer may take longer than the server waits for it.
    const status = await handle.query(statusQuery).catch((error: unknown) => {
      if (!noAnswer(error)) throw error;
    });
    if (status !== undefined && is(status)) return status;
    if (Date.now() > deadline) throw new Error(`the status never became what was awaited: ${JSON.stringify(status, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
