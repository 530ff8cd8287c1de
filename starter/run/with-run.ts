import type { Client } from '@temporalio/client';
import { withClient } from '../client.js';
import { findRun } from './handle.js';
import type { Run, RunKind } from './handle.js';

/** Connects, finds the newest run of `migration` and works on it. */
export function withRun<T>(migration: string, work: (found: { client: Client; run: Run }) => Promise<T>, kind?: RunKind): Promise<T> {
  return withClient(async ({ client }) => work({ client, run: await findRun(client, migration, kind) }));
}
