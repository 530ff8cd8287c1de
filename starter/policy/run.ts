import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { CROSS_CLUSTER_POLICY, policyWorkflowId, TASK_QUEUE } from '../../domain/names.js';
import type { PolicyInput, PolicyResult, PolicyVerb } from '../../domain/policy/run.js';
import type { PolicyGiven } from '../spec/policy.js';
import { failedError, unreachableError } from '../exit.js';
import { whoAmI } from '../who.js';
import { findClusters } from './clusters.js';

export interface PolicyOrder {
  verb: PolicyVerb;
  given: PolicyGiven;
  dryRun: boolean;
  probeSeconds: number;
}

/** A worker that is not there would keep the command waiting for ever. */
const GRACE_SECONDS = 120;

/**
 * Runs one verb on the worker and waits for its result.
 * @throws ExitError 1 (unknown cluster, another run of this policy, failed), 3 (no worker)
 */
export async function runPolicy(client: Client, order: PolicyOrder): Promise<PolicyResult> {
  const { given } = order;
  const clusters = await findClusters(client, given.kind === 'plain' ? given.clusters : [given.policy.spec.from.cluster, given.policy.spec.to.cluster]);
  const input: PolicyInput = { verb: order.verb, given, clusters, dryRun: order.dryRun, probeSeconds: order.probeSeconds };
  const { name } = given.policy.metadata;
  const workflowId = policyWorkflowId(name);
  try {
    const handle = await client.workflow.start(CROSS_CLUSTER_POLICY, {
      taskQueue: TASK_QUEUE,
      workflowId,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      // Cut off by Temporal itself, so that nothing applies the policy long after the command has given up.
      workflowExecutionTimeout: (order.probeSeconds + GRACE_SECONDS) * 1000,
      staticSummary: `policy ${name}: ${order.verb}`,
      staticDetails: `Started by ${whoAmI()}: \`ciliate policy ${order.verb}\``,
    });
    return (await handle.result()) as PolicyResult;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw failedError(`another verb of policy ${name} is under way: workflow ${workflowId}`);
    if (error instanceof WorkflowFailedError) throw noResult(name, workflowId, error);
    throw error;
  }
}

function noResult(name: string, workflowId: string, error: WorkflowFailedError): Error {
  if (error.cause?.name === 'TimeoutFailure') {
    return unreachableError(`policy ${name}: no result in time. Is a worker running (ciliate worker), and can it reach the clusters? temporal workflow show -w ${workflowId}`, error);
  }
  return failedError(`policy ${name}: ${error.cause?.message ?? error.message}`);
}
