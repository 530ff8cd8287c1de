import { ClientPool, temporalGateway } from '../../activities/clients/index.js';
import type { TemporalGateway } from '../../activities/clients/index.js';
import { toFailure } from '../../activities/failures.js';
import { forceRelease } from '../../activities/kubernetes/release.js';
import type { Released } from '../../activities/kubernetes/release.js';
import type { Client } from '@temporalio/client';
import type { Manifest } from '../../domain/spec/schema.js';
import { withClient } from '../client.js';
import { EXIT, ExitError, failedError } from '../exit.js';
import { exitCodeOfFailure } from '../failure.js';
import { findRun } from '../run/handle.js';
import { readSpec } from '../spec/read.js';
import { startedWith } from './manifest.js';

/** Releases the cluster that a migration was started for, by its name: what the cluster is stands in the run's history. */
export function releaseByName(migration: string, holder: string | undefined): Promise<Released> {
  return withClient(async ({ client }) => {
    const run = await findRun(client, migration);
    if (run.open) throw stillOpen(migration, run.description.runId);
    return release(await startedWith(client, run), { holder, temporal: temporalGateway(() => client) });
  });
}

/** Releases the cluster of a SPEC. Temporal may be lost: then only a holder that is named is released. */
export async function releaseBySpec(file: string, holder: string | undefined): Promise<Released> {
  const manifest = readSpec(file, { needsChart: false });
  try {
    return await withClient(async ({ client }) => {
      await expectClosed(client, manifest.metadata.name);
      return release(manifest, { holder, temporal: temporalGateway(() => client) });
    });
  } catch (error) {
    const lost = error instanceof ExitError && error.code === EXIT.unreachable;
    if (!lost || holder === undefined) throw error;
    console.error(`${error.message.split(':')[0] ?? 'cannot reach Temporal'}: going on, since the holder was named`);
    return release(manifest, { holder });
  }
}

async function expectClosed(client: Client, migration: string): Promise<void> {
  const run = await findRun(client, migration).catch((error: unknown) => {
    if (error instanceof ExitError && error.code === EXIT.failed) return undefined; // never started here
    throw error;
  });
  if (run?.open) throw stillOpen(migration, run.description.runId);
}

function stillOpen(migration: string, runId: string): ExitError {
  return failedError(`the migration ${migration} is running (run ${runId}): it gives everything back by itself. End it with \`ciliate abort ${migration} --reason TEXT\``);
}

async function release(manifest: Manifest, options: { holder: string | undefined; temporal?: TemporalGateway }): Promise<Released> {
  const { holder, temporal } = options;
  try {
    const clients = await new ClientPool().for(manifest.spec.cluster);
    return await forceRelease(clients, { ...(holder === undefined ? {} : { holder }), ...(temporal === undefined ? {} : { temporal }) });
  } catch (error) {
    const failure = toFailure(error);
    throw new ExitError(exitCodeOfFailure(failure), failure.message, { cause: error });
  }
}
