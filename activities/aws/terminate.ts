import { TerminateInstanceInAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { decrementVerdict } from '../../domain/pool/shrink.js';
import { CiliateError } from '../../domain/failures.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeRequest } from '../api.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { Ending } from '../drivers/driver.js';
import { readClusterGuards } from '../kubernetes/guardsLedger.js';
import { describeGroup, describeGroups, lifecycleIn } from './groups.js';
import { raisedNow } from './guards/sizes.js';
import { isGoing, readInstance } from './instances.js';

/**
 * TerminateInstanceInAutoScalingGroup, sent once: where the answer is lost, the next attempt looks before it asks again. One that has
 * just left its group is on its way.
 */
export async function terminateInGroup(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<void> {
  const { node, decrement } = request;
  try {
    await clients.aws.autoScalingOnce.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: node.instanceId, ShouldDecrementDesiredCapacity: decrement }),
    );
  } catch (error) {
    if (awsErrorName(error) !== 'ValidationError') throw error;
    // "not found" is how AWS says that it has just left its group.
    if (isGoing((await readInstance(clients, node.instanceId)).state)) return;
    throw refused(request, error instanceof Error ? error.message : String(error), error);
  }
}

/** Decided from the group of this moment: an autoscaler may have moved its sizes, and no retry decrements twice. */
export async function endingInGroup(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<Ending> {
  const { node, decrement } = request;
  const [ledger, group] = await Promise.all([readClusterGuards(clients), describeGroup(clients, node.group)]);
  const lifecycle = lifecycleIn(group, node.instanceId);
  const atEnd = raisedNow(ledger, group)?.prior ?? null;
  const verdict = decrementVerdict({ desired: group.DesiredCapacity ?? 0, min: group.MinSize ?? 0, lifecycle }, { decrement, atEnd });
  switch (verdict.call) {
    case 'terminate':
      return { ask: true, decrement: verdict.decrement };
    case 'refuse':
      // It leaves its group with its end: EC2 may have been asked a moment too early.
      if (!isGoing((await readInstance(clients, node.instanceId)).state)) throw refused(request, verdict.why);
      return { ask: false, decrement };
    case 'none':
      return { ask: false, decrement };
  }
}

/** Whether an instance is on its way out: its group knows that before EC2 does, where hooks hold it. */
export async function isEnding(clients: Clients, { instanceId, group }: NodeRef): Promise<boolean> {
  const [{ state }, groups] = await Promise.all([readInstance(clients, instanceId), describeGroups(clients, [group])]);
  return isGoing(state) || groups.some((each) => lifecycleIn(each, instanceId)?.startsWith('Terminat'));
}

function refused({ node, decrement }: NodeRequest & { decrement: boolean }, said: string, cause?: unknown): CiliateError {
  const minimum = /min/i.test(said);
  return new CiliateError(
    'Permanent',
    {
      object: `Instance ${node.instanceId} (Node ${node.name}) of ASG ${node.group}`,
      expected: `it to be terminated ${decrement ? 'and the group to shrink' : 'and replaced'}`,
      seen: said,
      todo: minimum ? `Lower the MinSize of ${node.group}, or set refresh.shouldDecrementDesiredCapacity to false.` : `Look at ${node.group}; where the instance has left the group, terminate it by hand.`,
    },
    { code: minimum ? 'BelowMinSize' : 'TerminationRefused', cause },
  );
}
