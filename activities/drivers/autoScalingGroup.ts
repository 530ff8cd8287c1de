import type { Instance as GroupInstance } from '@aws-sdk/client-auto-scaling';
import type { V1Node } from '@kubernetes/client-node';
import { nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { instanceIdOf, isReady, readyCondition } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import { describeGroup, groupsOf } from '../aws/groups.js';
import { groupTag, isGoing, readInstances } from '../aws/instances.js';
import { failedLaunch } from '../aws/scalingActivities.js';
import { terminateInGroup } from '../aws/terminate.js';
import type { Clients } from '../clients/index.js';
import type { Candidates, Place, ReplacementDriver } from './driver.js';

/** An Auto Scaling group of one's own: it launches the replacement of what is terminated in it. */
export const autoScalingGroup: ReplacementDriver = {
  kind: 'auto-scaling-group',
  places,
  owns: (_clients, group) => Promise.resolve(group !== '' && nodePoolOf(group) === undefined),
  poolBlockers,
  instancesBefore,
  terminate: terminateInGroup,
  candidates,
};

/** An instance on its way out has left its group, but its tag still names it. */
async function places(clients: Clients, nodes: readonly V1Node[]): Promise<Map<string, Place>> {
  const ids = nodes.map(instanceIdOf).filter((id) => id !== undefined);
  const found = new Map<string, Place>(await groupsOf(clients, ids));
  for (const instance of await readInstances(clients, ids.filter((id) => !found.has(id)))) {
    const group = groupTag(instance);
    if (instance.InstanceId !== undefined && group !== undefined) found.set(instance.InstanceId, { group, zone: instance.Placement?.AvailabilityZone ?? '' });
  }
  return found;
}

/** The group has what it wants, and every instance of it is a Ready Node: else one more would be missing. */
async function poolBlockers(clients: Clients, ref: NodeRef, nodes: readonly V1Node[]): Promise<Blocker[]> {
  const group = await describeGroup(clients, ref.group);
  const inService = (group.Instances ?? []).filter((instance) => instance.LifecycleState === 'InService' && instance.HealthStatus !== 'Unhealthy');
  const object = `ASG ${ref.group}`;
  const blockers: Blocker[] = [];
  if (inService.length < (group.DesiredCapacity ?? 0)) {
    const failure = await failedLaunch(clients, ref.group);
    blockers.push({
      object,
      reason: `${inService.length} of ${group.DesiredCapacity} instances are in service${failure === undefined ? '' : `; the last launch failed: ${failure}`}`,
      todo: `aws autoscaling describe-scaling-activities --auto-scaling-group-name ${ref.group}`,
    });
  }
  const byInstance = new Map(nodes.map((node) => [instanceIdOf(node), node]));
  for (const { InstanceId = '' } of inService) {
    if (InstanceId === ref.instanceId) continue;
    const node = byInstance.get(InstanceId);
    if (node === undefined) {
      blockers.push({ object: `Instance ${InstanceId} of ${object}`, reason: 'it has no Node', todo: `Still booting, or lost its Node: then aws autoscaling terminate-instance-in-auto-scaling-group --instance-id ${InstanceId} --no-should-decrement-desired-capacity` });
    } else if (!isReady(node)) {
      blockers.push({ object: `Node ${node.metadata?.name}`, reason: `is not Ready: ${readyCondition(node)?.message ?? 'no condition yet'}`, todo: `kubectl describe node ${node.metadata?.name}` });
    }
  }
  return blockers;
}

/** Where somebody else ended it, what was launched after that is its replacement. */
async function instancesBefore(clients: Clients, ref: NodeRef, endedAt?: Date): Promise<string[]> {
  const ids = ((await describeGroup(clients, ref.group)).Instances ?? []).map((instance) => instance.InstanceId ?? '');
  if (endedAt === undefined) return ids;
  const younger = new Set((await readInstances(clients, ids)).filter((instance) => instance.LaunchTime !== undefined && instance.LaunchTime >= endedAt).map((instance) => instance.InstanceId));
  return ids.filter((id) => !younger.has(id));
}

async function candidates(clients: Clients, ref: NodeRef, before: readonly string[]): Promise<Candidates> {
  const group = await describeGroup(clients, ref.group);
  const fresh = (group.Instances ?? []).filter((instance) => isFresh(instance, before));
  const instances = await readInstances(
    clients,
    fresh.map((instance) => instance.InstanceId ?? ''),
  );
  const alive = instances.filter((instance) => !isGoing(instance.State?.Name ?? 'terminated'));
  if (alive.length > 0) return { instances: alive, awaited: [] };
  return { instances: [], awaited: [await noneYet(clients, ref.group, group.SuspendedProcesses?.map((process) => process.ProcessName ?? '') ?? [])] };
}

function isFresh(instance: GroupInstance, before: readonly string[]): boolean {
  return !before.includes(instance.InstanceId ?? '') && !/^(Terminat|Detach)/.test(instance.LifecycleState ?? '');
}

async function noneYet(clients: Clients, group: string, suspended: string[]): Promise<Blocker> {
  const object = `ASG ${group}`;
  const stopped = suspended.filter((process) => process === 'Launch' || process === 'Terminate');
  if (stopped.length > 0) {
    const todo = `aws autoscaling resume-processes --scaling-processes ${stopped.join(' ')} --auto-scaling-group-name ${group}`;
    return { object, reason: `launches no new instance: process ${stopped.join(', ')} is suspended`, todo };
  }
  const failure = await failedLaunch(clients, group);
  const reason = failure === undefined ? 'has launched no new instance yet' : `could not launch a new instance: ${failure}`;
  return { object, reason, todo: `aws autoscaling describe-scaling-activities --auto-scaling-group-name ${group}` };
}
