import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import { migrationWorkflowId } from '../../../domain/names.js';
import type { MigrationStatus, RunState } from '../../../domain/status.js';
import { findRun } from '../../../starter/run/handle.js';
import { readStatus } from '../../../starter/run/status.js';

/** Temporal warns of histories beyond these (limit.historyCount.warn, limit.historySize.warn, limit.blobSize.warn). */
const WARNS = { events: 10_240, bytes: 10 * 2 ** 20, payload: 512 * 2 ** 10 };

/** What a run of any size has to keep. */
export const AIMS = `Aims: below Temporal's warnings (${WARNS.events} events, ${WARNS.bytes / 2 ** 20} MiB of history, ${WARNS.payload / 2 ** 10} KiB a payload), a worker of at most 512 MiB, status within 1 s (p99).`;

/** Fails where what was seen is beyond the aims. */
export function expectWithinAims(seen: Seen & { 'worker peak RSS MiB': number }): void {
  expect(seen['most events']).toBeLessThan(WARNS.events);
  expect(seen['most KiB of history'] * 1024).toBeLessThan(WARNS.bytes);
  expect(seen['biggest payload KiB'] * 1024).toBeLessThan(WARNS.payload);
  expect(seen['worker peak RSS MiB']).toBeLessThan(512);
  expect(seen['status p99 ms']).toBeLessThan(1_000);
}

/** A status that takes longer (ms) is told, with its moment. */
const SLOW = 500;
const FINAL: RunState[] = ['done', 'partial', 'failed', 'aborted'];

/** How the status of a run was to be had, from its beginning to its end, and what its histories came to. */
export interface Seen {
  runs: number;
  /** Of the migration's longest run. */
  'most events': number;
  'most KiB of history': number;
  'biggest payload KiB': number;
  /** Tasks of the migration that no worker took in time, that it lost, or that failed: each makes a status wait. */
  'workflow tasks lost': number;
  'status p50 ms': number;
  'status p99 ms': number;
  'status max ms': number;
  /** Answers that the run was too busy for: its snapshot was shown, and this is how old the oldest of them was. */
  'of them snapshots': number;
  'oldest snapshot s': number;
  'status KiB': number;
}

export interface Watching {
  migration: string;
  /** Called when the run has taken longer than this, once. */
  late?: { ms: number; act: () => Promise<unknown> };
  say?: ((line: string) => void) | undefined;
}

/** Asks for the status twice a second until the run is over. */
export async function watchRun(client: Client, { migration, late, say }: Watching): Promise<Seen> {
  const started = Date.now();
  const latencies: number[] = [];
  const ages: number[] = [];
  let bytes = 0;
  let isLate = false;
  let saidAt = 0;
  for (;;) {
    const before = performance.now();
    const status = await shown(client, migration).catch((error: unknown) => {
      say?.(`no status: ${error instanceof Error ? error.message : String(error)}`);
    });
    const took = performance.now() - before;
    latencies.push(took);
    if (took > SLOW) say?.(`${Math.round((Date.now() - started) / 1000)} s: status took ${Math.round(took)} ms, ${status?.phase ?? 'and there was none'}`);
    if (status?.asOf !== undefined) ages.push((Date.now() - Date.parse(status.asOf)) / 1000);
    if (status !== undefined) {
      bytes = Math.max(bytes, JSON.stringify(status).length);
      if (Date.now() - saidAt > 30_000) {
        saidAt = Date.now();
        say?.(`${Math.round((saidAt - started) / 1000)} s: ${status.phase}, ${status.nodes.done} done, ${status.nodes.counts.inFlight} in flight, ${status.nodes.pages} pages, status in ${Math.round(latencies.at(-1) ?? 0)} ms`);
      }
      if (FINAL.includes(status.state)) break;
    }
    if (late !== undefined && !isLate && Date.now() - started > late.ms) {
      isLate = true;
      await late.act();
    }
    await sleep(500);
  }
  const histories = await historiesOf(client, migrationWorkflowId(migration));
  for (const line of histories.flatMap(({ lost }) => lost)) say?.(line);
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return {
    runs: histories.length,
    'most events': Math.max(...histories.map(({ events }) => events)),
    'most KiB of history': kib(Math.max(...histories.map((history) => history.bytes))),
    'biggest payload KiB': kib(Math.max(...histories.map(({ payload }) => payload))),
    'workflow tasks lost': histories.reduce((sum, { lost }) => sum + lost.length, 0),
    'status p50 ms': at(0.5),
    'status p99 ms': at(0.99),
    'status max ms': at(1),
    'of them snapshots': ages.length,
    'oldest snapshot s': Math.round(Math.max(0, ...ages)),
    'status KiB': kib(bytes),
  };
}

/** What `ciliate status` shows, as it comes by it. */
async function shown(client: Client, migration: string): Promise<MigrationStatus> {
  const { status, instead } = await readStatus(client, await findRun(client, migration));
  if (instead !== null && status.asOf === undefined) throw new Error(instead);
  return status;
}

interface HistorySeen {
  events: number;
  bytes: number;
  payload: number;
  /** A line for each task that was lost. */
  lost: string[];
}

/** Of each run of the migration. */
async function historiesOf(client: Client, workflowId: string): Promise<HistorySeen[]> {
  const seen: HistorySeen[] = [];
  let runId: string | undefined;
  do {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { historyLength, historySize = 0, runId: own } = await handle.describe();
    const { events } = await client.workflow.getHandle(workflowId, own).fetchHistory();
    seen.push({ events: historyLength, bytes: historySize, payload: biggestPayload(events), lost: (events ?? []).flatMap(lostTask) });
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return seen;
}

function lostTask({ eventTime, workflowTaskTimedOutEventAttributes: timedOut, workflowTaskFailedEventAttributes: failed }: temporal.api.history.v1.IHistoryEvent): string[] {
  if (!timedOut && !failed) return [];
  const at = new Date(Number(eventTime?.seconds ?? 0) * 1000).toISOString();
  return [`${at}: workflow task ${timedOut ? `timed out (${temporal.api.enums.v1.TimeoutType[timedOut.timeoutType ?? 0]})` : `failed: ${failed?.failure?.message}`}`];
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
