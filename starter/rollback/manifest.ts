import type { Manifest } from '../../domain/spec/schema.js';
import { withClient } from '../client.js';
import { startedWith } from '../release/manifest.js';
import { findRun } from '../run/handle.js';
import { readSpec } from '../spec/read.js';

/** What a rollback runs on: the SPEC that is given, or the one that the last run was started with. */
export async function manifestOf({ cluster, file }: { cluster: string | undefined; file: string | undefined }): Promise<Manifest> {
  if (file !== undefined) return readSpec(file);
  return withClient(async ({ client }) => startedWith(client, await findRun(client, cluster ?? '')));
}
