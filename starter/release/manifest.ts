import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Client } from '@temporalio/client';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { failedError } from '../exit.js';
import type { Run } from '../run/handle.js';

/**
 * The manifest that a run was started with, out of the first event of its history: no worker is needed.
 * @throws ExitError (1) when it cannot be read; `-f SPEC` then says what the cluster is
 */
export async function startedWith(client: Client, run: Run): Promise<Manifest> {
  const { workflowId, runId } = run.description;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const [input] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  const parsed = manifestSchema.safeParse(input);
  if (!parsed.success) throw failedError(`the SPEC that ${run.migration} was started with cannot be read from its history: give it with -f SPEC`);
  return parsed.data;
}
