import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { MIGRATE_CLUSTER, migrationWorkflowId, ROLLBACK_CLUSTER, TASK_QUEUE } from '../../domain/names.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { failedError } from '../exit.js';
import { whoAmI } from '../who.js';

/** Temporal cuts a longer summary off. */
const SUMMARY_BYTES = 200;
const FAIRNESS_KEY_BYTES = 64;

/** One way that a run can go. */
interface Way {
  workflowType: string;
  /** For Temporal's UI: what becomes what. */
  goes: (manifest: Manifest) => string;
  /** What a person can do about a run that is open. */
  todo: (name: string) => string;
}

/**
 * Starts the migration. The workflow id is the lock: one open run a cluster; a closed one may be followed by another, which
 * picks up from the cluster's own state.
 * @throws ExitError (1) that names the running one
 */
export function startMigration(client: Client, manifest: Manifest): Promise<WorkflowHandle> {
  return startRun(client, manifest, {
    workflowType: MIGRATE_CLUSTER,
    goes: ({ spec }) => `aws-node to Cilium ${spec.cilium.version}`,
    todo: (name) => `See \`ciliate status ${name}\``,
  });
}

/**
 * Starts the way back, under the same workflow id.
 * @throws ExitError (1) that names the run that is open, and how to end it
 */
export function startRollback(client: Client, manifest: Manifest): Promise<WorkflowHandle> {
  return startRun(client, manifest, {
    workflowType: ROLLBACK_CLUSTER,
    goes: () => 'Cilium back to aws-node',
    todo: (name) => `End it first: \`ciliate abort ${name} --reason TEXT\`; when it has ended, say this again`,
  });
}

async function startRun(client: Client, manifest: Manifest, { workflowType, goes, todo }: Way): Promise<WorkflowHandle> {
  const { name } = manifest.metadata;
  const workflowId = migrationWorkflowId(name);
  try {
    return await client.workflow.start(workflowType, {
      taskQueue: TASK_QUEUE,
      workflowId,
      args: [manifest],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      priority: { fairnessKey: name.slice(0, FAIRNESS_KEY_BYTES) },
      staticSummary: summary(manifest, goes(manifest)),
      staticDetails: `Started by ${whoAmI()}. See it with \`ciliate status ${name} --watch\`; Cancel here is \`ciliate abort\`.`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId, type } = await client.workflow.getHandle(workflowId).describe();
    const what = type === ROLLBACK_CLUSTER ? 'rolled back' : 'migrated';
    throw failedError(`${name} is being ${what} already: workflow ${workflowId}, run ${runId}. ${todo(name)}`);
  }
}

function summary({ metadata, spec }: Manifest, goes: string): string {
  const where = spec.cluster.eks === undefined ? (spec.cluster.context ?? 'kubeconfig') : `EKS ${spec.cluster.eks.name} in ${spec.cluster.eks.region}`;
  return `${metadata.name} (${where}): ${goes}`.slice(0, SUMMARY_BYTES);
}
