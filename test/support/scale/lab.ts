import type { HelmValues } from '../../../domain/spec/schema.js';
import { vi } from 'vitest';
import type { MigrationStatus } from '../../../domain/status.js';
import { anyChart } from '../field.js';
import type { Field } from '../field.js';
import { update } from '../../../starter/run/update.js';
import { migrationWorkflowId } from '../../../domain/names.js';
import { peakRss } from '../rss.js';

export interface Migrated {
  nodes: number;
  'in flight': number;
  outcome: string;
  seconds: number;
  'Kubernetes calls a node': number;
  'AWS calls a node': number;
  'worker peak RSS MiB': number;
}

const GATE = 'before-enforcement';

/** Labs of any size get the same of these, so that only their size differs. */
export const BRIEF = { niceness: 19, podStartDelay: 100, terminationDelay: 200, bootDelay: 1_000, agentDelay: 300, instanceTerminationDelay: 500 };

export interface Scaled {
  nodes: number;
  inFlight: number;
  /** Helm values beside ours. */
  values?: HelmValues;
}

/** Name of the migration of a cluster of that size. */
export function scaledName(nodes: number): string {
  return `calls-${nodes}`;
}

/** A whole migration on the lab; calls are counted while nodes are refreshed, and by nobody but the worker. */
export async function migrateCounted(field: Field, { nodes, inFlight, values = {} }: Scaled): Promise<Migrated> {
  const name = scaledName(nodes);
  const { faults } = field.lab;
  field.startWorker();
  const started = Date.now();
  const { code, err } = await field.ciliate('start', '-f', field.spec(name, { approvals: [GATE], cilium: { version: '1.20.0', chart: anyChart(), clusterName: name, clusterId: 1, values }, refresh: { canary: false, maxSurge: 0, maxUnavailable: inFlight } }));
  if (code !== 0) throw new Error(`start ended with ${code}: ${err}`);
  await field.statusWhere(name, ({ phase }) => phase === 'refresh', 600_000);
  await faults.resetCounts();
  const atGate = async (): Promise<MigrationStatus | undefined> => {
    const status = await field.status(name).catch(() => undefined);
    return status?.gate?.gate === GATE || (status?.problem ?? null) !== null ? status : undefined;
  };
  // Not four times a second: to ask is work for who is measured.
  const gate = (await vi.waitUntil(atGate, { timeout: 7_200_000, interval: 3_000 }))?.gate ?? null;
  const counts = Object.entries(await faults.counts());
  const most = counts.sort(([, a], [, b]) => b - a).slice(0, 25).map(([key, count]) => `${count} ${key}`);
  console.log(`${nodes} nodes, most of the calls:\n  ${most.join('\n  ')}`);
  const sum = (target: string): number => counts.filter(([key]) => key.startsWith(`${target} `)).reduce((total, [, count]) => total + count, 0);
  if (gate !== null) await update((await field.client()).workflow.getHandle(migrationWorkflowId(name)), 'approve', { gate: GATE, digest: gate.digest, by: 'test', reason: 'counted' });
  const report = await field.report(name);
  return {
    nodes,
    'in flight': inFlight,
    outcome: report.problem === null ? report.state : `${report.state}: ${report.problem}`,
    seconds: Math.round((Date.now() - started) / 1000),
    'Kubernetes calls a node': Math.round((10 * sum('kubernetes')) / nodes) / 10,
    'AWS calls a node': Math.round((10 * sum('aws')) / nodes) / 10,
    'worker peak RSS MiB': peakRss(field.workerPid),
  };
}
