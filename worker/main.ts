import { NativeConnection } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import { CiliateError } from '../domain/failures.js';
import { TASK_QUEUE } from '../domain/names.js';
import { failureInterceptors } from '../activities/failures.js';
import { ClientPool } from '../activities/clients/index.js';
import { workflowBundle } from './bundle.js';
import { dataConverterFromEnv } from './codec.js';
import { temporalConfig } from './config.js';
import type { TemporalConfig } from './config.js';
import { createLogger, temporalLogger } from './log.js';
import type { PinoLogger } from './log.js';
import { installRuntime, metricsAddress } from './runtime.js';
import { registerSearchAttributes } from './search-attributes.js';
import { createWorker, workerIdentity } from './worker.js';
import { workerActivities } from './activities.js';

export interface WorkerProcessOptions {
  /** `[host:]port` for Prometheus. */
  metrics?: string;
  /** Task queue that it serves; `ciliate` where absent. */
  taskQueue?: string;
  /** Where Temporal is; the environment's where absent. */
  temporal?: TemporalConfig;
  log?: PinoLogger;
  /** False: whoever starts it also stops it. */
  signals?: boolean;
}

export interface RunningWorker {
  /** Settles when the worker has stopped; rejects when it died. */
  ended: Promise<void>;
  /** Steps in flight get their grace time. */
  stop(): Promise<void>;
}

/**
 * Starts a worker as the `worker`, `dev` and `demo` commands do; once a process.
 * @throws CiliateError Transient when Temporal cannot be reached
 */
export async function startWorker(options: WorkerProcessOptions = {}): Promise<RunningWorker> {
  const { temporal = temporalConfig(), log = createLogger(), signals = true, taskQueue = TASK_QUEUE } = options;
  const metrics = metricsAddress(options.metrics);
  installRuntime({ log, signals, ...(metrics === undefined ? {} : { metricsAddress: metrics }) });
  const connection = await connect(temporal);
  const registration = await registerSearchAttributes(connection, temporal.namespace);
  log[registration.registered ? 'info' : 'warn'](registration.said);
  const dataConverter = dataConverterFromEnv();
  const pool = new ClientPool();
  const worker = await createWorker({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities: workerActivities(pool),
    bundle: await workflowBundle({ encrypted: dataConverter !== undefined, logger: temporalLogger(log) }),
    interceptors: { activity: [failureInterceptors()] },
    ...(dataConverter === undefined ? {} : { dataConverter }),
  });
  log.info({ address: temporal.address, namespace: temporal.namespace, taskQueue, identity: workerIdentity() }, 'worker started');
  const ended = run(worker, connection, pool);
  // Whoever waits for `ended` gets the error; nobody may be waiting yet.
  ended.catch(() => {});
  return {
    ended,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** A worker until it is stopped by a signal. */
export async function runWorkerProcess(options: WorkerProcessOptions = {}): Promise<void> {
  const worker = await startWorker(options);
  await worker.ended;
}

async function run(worker: Worker, connection: NativeConnection, pool: ClientPool): Promise<void> {
  // The runtime takes the signals, so a stop shows in the worker's state only.
  const stopping = setInterval(() => {
    if (worker.getState() !== 'RUNNING' && worker.getState() !== 'INITIALIZED') pool.close();
  }, 250);
  try {
    await worker.run();
  } finally {
    clearInterval(stopping);
    // Its watches would hold the process; a worker with nothing in flight stops between two looks.
    pool.close();
    await connection.close();
  }
}

async function connect({ address, connection }: TemporalConfig): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connection);
  } catch (error) {
    throw new CiliateError(
      'Transient',
      {
        object: 'Temporal',
        expected: `a server at ${address}`,
        seen: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '',
        todo: 'Start one with `ciliate dev`, or set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE, TEMPORAL_TLS, TEMPORAL_API_KEY).',
      },
      { code: 'TemporalUnreachable', cause: error },
    );
  }
}
