import type { Client } from '@temporalio/client';
import type { MigrationStatus } from '../../domain/status.js';
import { failedError } from '../exit.js';
import { ask, findRun } from '../run/handle.js';
import { say, said } from '../run/say.js';
import { watch } from '../run/watch.js';
import { screenFor } from '../view/screen.js';
import type { WorkerProcess } from './worker-process.js';

interface Following {
  migration: string;
  worker: WorkerProcess | undefined;
  signal: AbortSignal;
}

const LOOK_MS = 500;

/** Shows the migration until it ends, and approves every gate as it opens, as a person would. */
export async function follow(client: Client, following: Following): Promise<MigrationStatus> {
  const { migration, signal } = following;
  const ended = new AbortController();
  const approving = approveGates(client, following, ended.signal);
  const screen = screenFor(process.stdout, 'table');
  try {
    const watching = watch(client, migration, screen);
    // Whichever fails first ends both.
    return await Promise.race([watching, approving.then(() => watching), aborted(signal)]);
  } finally {
    ended.abort();
    screen.end();
    await approving.catch(() => {});
  }
}

async function approveGates(client: Client, { migration, worker }: Following, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const died = worker?.died();
    if (died !== undefined) throw failedError(`the worker died: ${died}`);
    const run = await findRun(client, migration);
    if (!run.open) return;
    const status = await ask<MigrationStatus>(client, run, { query: 'status' });
    if (status?.gate) {
      const { gate, digest } = status.gate;
      // Between the look and the approval the gate may have moved on: the next look shows.
      await say(client, run, { message: { verb: 'approve', body: { ...said('approved by the demo itself'), gate, digest } as { by: string } }, fallback: 'none' }).catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(failedError('interrupted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}
