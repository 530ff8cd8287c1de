import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { MIGRATE_CLUSTER, migrationWorkflowId, TASK_QUEUE } from '../../domain/names.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { failedError } from '../exit.js';
import { whoAmI } from '../who.js';

/** Temporal cuts a longer summary off. */
const SUMMARY_BYTES = 200;
const FAIRNESS_KEY_BYTES = 64;

/**
 * Starts the migration. The workflow id is the lock: one open run a cluster; a closed one may be followed by another, which
 * picks up from the cluster's own state.
 * @throws ExitError (1) that names the running one
 */
export async function startMigration(client: Client, manifest: Manifest): Promise<WorkflowHandle> {
  const { name } = manifest.metadata;
  const workflowId = migrationWorkflowId(name);
  try {
    return await client.workflow.start(MIGRATE_CLUSTER, {
      taskQueue: TASK_QUEUE,
      workflowId,
      args: [manifest],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      priority: { fairnessKey: name.slice(0, FAIRNESS_KEY_BYTES) },
      staticSummary: summary(manifest),
      staticDetails: `Started by ${whoAmI()}. See it with \`ciliate status ${name} --watch\`; Cancel here is \`ciliate abort\`.`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    throw failedError(`${name} is being migrated already: workflow ${workflowId}, run ${runId}. See \`ciliate status ${name}\``);
  }
}

function summary({ metadata, spec }: Manifest): string {
  const where = spec.cluster.eks === undefined ? (spec.cluster.context ?? 'kubeconfig') : `EKS ${spec.cluster.eks.name} in ${spec.cluster.eks.region}`;
  return `${metadata.name} (${where}): aws-node to Cilium ${spec.cilium.version}`.slice(0, SUMMARY_BYTES);
}
