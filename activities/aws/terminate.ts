import { TerminateInstanceInAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { decrementVerdict } from '../../domain/pool/shrink.js';
import { CiliateError } from '../../domain/failures.js';
import type { NodeRequest } from '../api.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readGuards } from '../kubernetes/guardsLedger.js';
import { readTermination, recordTermination } from '../kubernetes/terminations.js';
import type { Termination } from '../kubernetes/terminations.js';
import { describeGroup } from './groups.js';
import { raised } from './guards/sizes.js';
import { endedAt, isGoing, readInstance, readInstances } from './instances.js';
import type { InstanceSeen } from './instances.js';

/**
 * TerminateInstanceInAutoScalingGroup, once. Which instances the group had is written to the ledger before the call: after a
 * crash it may already have the replacement, and nobody could tell it from the others.
 */
export async function terminateNode(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<Termination> {
  const { node } = request;
  const recorded = await readTermination(clients, node.instanceId);
  const seen = await readInstance(clients, node.instanceId);
  if (isGoing(seen.state)) return recorded ?? { instancesBefore: await instancesOlderThan(clients, node.group, seen), decremented: request.decrement };
  const group = await describeGroup(clients, node.group);
  const termination: Termination = {
    instancesBefore: recorded?.instancesBefore ?? (group.Instances ?? []).map((instance) => instance.InstanceId ?? ''),
    decremented: await decrements(clients, request, group),
  };
  await recordTermination(clients, node.instanceId, termination);
  try {
    await clients.aws.autoScaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: node.instanceId, ShouldDecrementDesiredCapacity: termination.decremented }),
    );
  } catch (error) {
    if (awsErrorName(error) !== 'ValidationError') throw error;
    // "not found" is how AWS says that it has just left its group.
    if (isGoing((await readInstance(clients, node.instanceId)).state)) return termination;
    throw refused(request, error);
  }
  return termination;
}

/** With a surge, decided from the sizes of this moment: an autoscaler may have moved them, and no retry decrements twice. */
async function decrements(clients: Clients, { node, decrement }: NodeRequest & { decrement: boolean }, group: AutoScalingGroup): Promise<boolean> {
  const ours = raised(await readGuards(clients), node.group);
  if (ours === undefined) return decrement;
  const lifecycle = group.Instances?.find((instance) => instance.InstanceId === node.instanceId)?.LifecycleState;
  const verdict = decrementVerdict({ desired: group.DesiredCapacity ?? 0, min: group.MinSize ?? 0, lifecycle }, { decrement, atEnd: ours.prior });
  return verdict.call === 'terminate' && verdict.decrement;
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
