import { Runtime } from '@temporalio/worker';
import type { PinoLogger } from './log.js';
import { temporalLogger } from './log.js';

export interface RuntimeSettings {
  log: PinoLogger;
  /** `host:port` of the Prometheus endpoint; off where absent. */
  metricsAddress?: string;
  /** Whether Temporal's runtime handles SIGINT and SIGTERM itself. False where a supervisor stops the worker. */
  signals?: boolean;
}

/**
 * Installs Temporal's runtime, once a process and before anything else of Temporal: its settings cannot be changed later.
 * Metrics bind to loopback unless told otherwise: they name clusters.
 */
export function installRuntime(settings: RuntimeSettings): void {
  const { log, metricsAddress, signals = true } = settings;
  Runtime.install({
    logger: temporalLogger(log),
    shutdownSignals: signals ? ['SIGINT', 'SIGTERM'] : [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress === undefined
        ? {}
        : { metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } } }),
    },
  });
}

/** `9464` or `127.0.0.1:9464` → an address for Prometheus, on loopback unless a host is named. */
export function metricsAddress(option: string | undefined): string | undefined {
  if (option === undefined || option === '') return undefined;
  return option.includes(':') ? option : `127.0.0.1:${option}`;
}
