import type { Client } from '@temporalio/client';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { failedError } from '../exit.js';
import type { Run } from '../run/handle.js';
import { startInput } from '../run/startInput.js';

/**
 * The manifest that a run was started with, out of the first event of its history: no worker is needed.
 * @throws ExitError (1) when it cannot be read; `-f SPEC` then says what the cluster is
 */
export async function startedWith(client: Client, run: Run): Promise<Manifest> {
  const input = await startInput(client, run.description);
  const parsed = manifestSchema.safeParse(input);
  if (!parsed.success) throw failedError(`the SPEC that ${run.migration} was started with cannot be read from its history: give it with -f SPEC`);
  return parsed.data;
}
