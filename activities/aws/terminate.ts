import { TerminateInstanceInAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { decrementVerdict } from '../../domain/pool/shrink.js';
import { CiliateError } from '../../domain/failures.js';
import type { NodeRequest } from '../api.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readClusterGuards } from '../kubernetes/guardsLedger.js';
import { describeGroup } from './groups.js';
import { raised } from './guards/sizes.js';
import { isGoing, readInstance } from './instances.js';

/** TerminateInstanceInAutoScalingGroup; one that has just left its group is on its way. */
export async function terminateInGroup(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<void> {
  const { node, decrement } = request;
  try {
    await clients.aws.autoScaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: node.instanceId, ShouldDecrementDesiredCapacity: decrement }),
    );
  } catch (error) {
    if (awsErrorName(error) !== 'ValidationError') throw error;
    // "not found" is how AWS says that it has just left its group.
    if (isGoing((await readInstance(clients, node.instanceId)).state)) return;
    throw refused(request, error);
  }
}

/** With a surge, decided from the sizes of this moment: an autoscaler may have moved them, and no retry decrements twice. */
export async function decrements(clients: Clients, { node, decrement }: NodeRequest & { decrement: boolean }): Promise<boolean> {
  const ours = raised(await readClusterGuards(clients), node.group);
  if (ours === undefined) return decrement;
  const group = await describeGroup(clients, node.group);
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
