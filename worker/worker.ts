import { hostname } from 'node:os';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { SLOTS } from '../activities/linger.js';
import { CILIATE_VERSION } from '../domain/version.js';

export interface WorkerSettings {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  /** What createActivities() gave. */
  activities: object;
  bundle: WorkflowBundleOption;
  interceptors?: WorkerOptions['interceptors'];
  dataConverter?: DataConverter;
  identity?: string;
  /** 0 makes every workflow task a replay: for tests. */
  maxCachedWorkflows?: number;
  /** Activities side by side; fewer for tests. */
  activitySlots?: number;
}

/**
 * A worker for many clusters at once. A wait holds no slot (docs/adr/0003), so few slots serve many nodes. Where more workflows are
 * open than are cached, each event of a node is a replay of it (measured: with 100 nodes in flight and 60 cached twice the processor
 * time a node, and statuses of seconds); memory is what a worker runs out of first, but it does not grow by that (docs/results/scale.md).
 */
export function createWorker(settings: WorkerSettings): Promise<Worker> {
  const { connection, namespace, taskQueue, activities, bundle } = settings;
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: bundle,
    identity: settings.identity ?? workerIdentity(),
    ...(settings.interceptors === undefined ? {} : { interceptors: settings.interceptors }),
    ...(settings.dataConverter === undefined ? {} : { dataConverter: settings.dataConverter }),
    maxCachedWorkflows: settings.maxCachedWorkflows ?? 150,
    // How long a task waits for a worker that may be dead before another takes it and replays: a crash costs this much.
    stickyQueueScheduleToStartTimeout: '3 seconds',
    maxConcurrentActivityTaskExecutions: settings.activitySlots ?? SLOTS,
    maxConcurrentLocalActivityExecutions: 4,
    // Heartbeats are how a step learns of a cancellation, and Temporal of a dead worker (activities/failures.ts beats every 2 s).
    maxHeartbeatThrottleInterval: '2 seconds',
    defaultHeartbeatThrottleInterval: '2 seconds',
    workflowTaskPollerBehavior: { type: 'autoscaling', initial: 2, minimum: 2, maximum: 10 },
    activityTaskPollerBehavior: { type: 'autoscaling', initial: 2, minimum: 1, maximum: 10 },
    // A step in flight gets this long to end by itself (a Helm call is the longest), then it is cancelled, then dropped.
    shutdownGraceTime: '30 seconds',
    shutdownForceTime: '45 seconds',
  });
}

/** Seen in Temporal's UI beside every task: which process on which machine did it. */
export function workerIdentity(): string {
  return `ciliate-${CILIATE_VERSION}/${process.pid}@${hostname()}`;
}
