import type { Instance as GroupInstance } from '@aws-sdk/client-auto-scaling';
import type { V1Node } from '@kubernetes/client-node';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import { describeGroup, groupsOf, staysIn } from '../aws/groups.js';
import { groupTag, isGoing, readInstances } from '../aws/instances.js';
import { recentGroup, recentInstances } from '../aws/recent.js';
import { failedLaunch } from '../aws/scalingActivities.js';
import { endingInGroup, terminateInGroup } from '../aws/terminate.js';
import type { Clients } from '../clients/index.js';
import type { Candidates, Place, ReplacementDriver } from './driver.js';

/** An Auto Scaling group of one's own: it launches the replacement of what is terminated in it. Its name is any that is of no other kind. */
export const autoScalingGroup: ReplacementDriver = {
  kind: 'auto-scaling-group',
  sized: true,
  title,
  lingering: () => 'It is awaited; lifecycle hooks of its group may hold it.',
  places,
  owns: (_clients, groups) => Promise.resolve(groups),
  instancesBefore,
  ending: (clients, request, going) => (going ? Promise.resolve({ ask: false, decrement: request.decrement }) : endingInGroup(clients, request)),
  terminate: terminateInGroup,
  candidates,
};

function title(group: string): string {
  return `ASG ${group}`;
}

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

/** Where somebody else ended it, what was launched after that is its replacement. */
async function instancesBefore(clients: Clients, ref: NodeRef, endedAt?: Date): Promise<string[]> {
  const ids = ((await describeGroup(clients, ref.group)).Instances ?? []).map((instance) => instance.InstanceId ?? '');
  if (endedAt === undefined) return ids;
  const younger = new Set((await readInstances(clients, ids)).filter((instance) => instance.LaunchTime !== undefined && instance.LaunchTime >= endedAt).map((instance) => instance.InstanceId));
  return ids.filter((id) => !younger.has(id));
}

async function candidates(clients: Clients, ref: NodeRef, before: readonly string[]): Promise<Candidates> {
  const group = (await recentGroup(clients, ref.group)) ?? (await describeGroup(clients, ref.group));
  const fresh = (group.Instances ?? []).filter((instance) => isFresh(instance, before));
  const instances = await recentInstances(
    clients,
    fresh.map((instance) => instance.InstanceId ?? ''),
  );
  const alive = instances.filter((instance) => !isGoing(instance.State?.Name ?? 'terminated'));
  if (alive.length > 0) return { instances: alive, awaited: [] };
  return { instances: [], awaited: [await noneYet(clients, ref.group, group.SuspendedProcesses?.map((process) => process.ProcessName ?? '') ?? [])] };
}

function isFresh(instance: GroupInstance, before: readonly string[]): boolean {
  return !before.includes(instance.InstanceId ?? '') && staysIn(instance);
}

async function noneYet(clients: Clients, group: string, suspended: string[]): Promise<Blocker> {
  const object = title(group);
  const stopped = suspended.filter((process) => process === 'Launch' || process === 'Terminate');
  if (stopped.length > 0) {
    const todo = `aws autoscaling resume-processes --scaling-processes ${stopped.join(' ')} --auto-scaling-group-name ${group}`;
    return { object, reason: `launches no new instance: process ${stopped.join(', ')} is suspended`, todo };
  }
  const failure = await failedLaunch(clients, group);
  const reason = failure === undefined ? 'has launched no new instance yet' : `could not launch a new instance: ${failure}`;
  return { object, reason, todo: `aws autoscaling describe-scaling-activities --auto-scaling-group-name ${group}` };
}
