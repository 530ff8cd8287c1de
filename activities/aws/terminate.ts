import { TerminateInstanceInAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../domain/failures.js';
import type { NodeRequest } from '../api.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readTermination, recordTermination } from '../kubernetes/terminations.js';
import { describeGroup } from './groups.js';
import { endedAt, isGoing, readInstance, readInstances } from './instances.js';
import type { InstanceSeen } from './instances.js';

/**
 * TerminateInstanceInAutoScalingGroup, once. Which instances the group had is written to the ledger before the call: after a
 * crash it may already have the replacement, and nobody could tell it from the others.
 */
export async function terminateNode(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<{ instancesBefore: string[] }> {
  const { node, decrement } = request;
  const recorded = await readTermination(clients, node.instanceId);
  const seen = await readInstance(clients, node.instanceId);
  if (isGoing(seen.state)) return { instancesBefore: recorded ?? (await instancesOlderThan(clients, node.group, seen)) };
  const instancesBefore = recorded ?? (await instancesOf(clients, node.group));
  if (recorded === undefined) await recordTermination(clients, node.instanceId, instancesBefore);
  try {
    await clients.aws.autoScaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: node.instanceId, ShouldDecrementDesiredCapacity: decrement }),
    );
  } catch (error) {
    if (awsErrorName(error) !== 'ValidationError') throw error;
    // "not found" is how AWS says that it has just left its group.
    if (isGoing((await readInstance(clients, node.instanceId)).state)) return { instancesBefore };
    throw refused(request, error);
  }
  return { instancesBefore };
}

function refused({ node, decrement }: NodeRequest & { decrement: boolean }, error: unknown): CiliateError {
  const said = error instanceof Error ? error.message : String(error);
  const minimum = /min/i.test(said);
  return new CiliateError(
    'Permanent',
    {
      object: `Instance ${node.instanceId} (Node ${node.name}) of ASG ${node.group}`,
      expected: `it to be terminated ${decrement ? 'and the group to shrink' : 'and replaced'}`,
      seen: said,
      todo: minimum ? `Lower the MinSize of ${node.group}, or set refresh.shouldDecrementDesiredCapacity to false.` : `Look at ${node.group}; where the instance has left the group, terminate it by hand.`,
    },
    { code: minimum ? 'BelowMinSize' : 'TerminationRefused', cause: error },
  );
}

async function instancesOf(clients: Clients, group: string): Promise<string[]> {
  return ((await describeGroup(clients, group)).Instances ?? []).map((instance) => instance.InstanceId ?? '');
}

/** Somebody else terminated it: what was launched after that is its replacement. */
async function instancesOlderThan(clients: Clients, group: string, seen: InstanceSeen): Promise<string[]> {
  const ids = await instancesOf(clients, group);
  const end = endedAt(seen.instance);
  if (end === undefined) return ids;
  const younger = new Set((await readInstances(clients, ids)).filter((instance) => instance.LaunchTime !== undefined && instance.LaunchTime >= end).map((instance) => instance.InstanceId));
  return ids.filter((id) => !younger.has(id));
}
