import { DescribeAutoScalingGroupsCommand, DescribeAutoScalingInstancesCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup, Instance } from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../domain/failures.js';
import type { Clients } from '../clients/index.js';
import { together } from './together.js';

/** The API's own limits; without MaxRecords only 50 groups may be named. */
const INSTANCES_A_CALL = 50;
const GROUPS_A_CALL = 100;

export interface Membership {
  instanceId: string;
  group: string;
  zone: string;
}

/** Group and zone of each instance that an Auto Scaling group owns; an instance without one is not in the map. */
export async function groupsOf(clients: Clients, instanceIds: string[]): Promise<Map<string, Membership>> {
  const found = new Map<string, Membership>();
  for (const ids of chunks([...new Set(instanceIds)], INSTANCES_A_CALL)) {
    const { AutoScalingInstances = [] } = await clients.aws.autoScaling.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: ids }));
    for (const { InstanceId, AutoScalingGroupName, AvailabilityZone } of AutoScalingInstances) {
      if (InstanceId === undefined || AutoScalingGroupName === undefined) continue;
      found.set(InstanceId, { instanceId: InstanceId, group: AutoScalingGroupName, zone: AvailabilityZone ?? '' });
    }
  }
  return found;
}

export async function describeGroups(clients: Clients, names: string[]): Promise<AutoScalingGroup[]> {
  const groups: AutoScalingGroup[] = [];
  for (const some of chunks([...new Set(names)], GROUPS_A_CALL)) {
    const { AutoScalingGroups = [] } = await clients.aws.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: some, MaxRecords: GROUPS_A_CALL }));
    groups.push(...AutoScalingGroups);
  }
  return groups;
}

const readTogether = together(describeGroups, ({ AutoScalingGroupName }: AutoScalingGroup) => AutoScalingGroupName, GROUPS_A_CALL);

/** As it is now; asked for together with what others ask. */
export async function describeGroup(clients: Clients, name: string): Promise<AutoScalingGroup> {
  const group = await readTogether(clients, name);
  if (group !== undefined) return group;
  throw new CiliateError(
    'Permanent',
    { object: `Auto Scaling group ${name}`, expected: `it in ${clients.region}`, seen: 'no such group', todo: 'Check region and account; a group that was deleted takes its nodes along.' },
    { code: 'GroupMissing' },
  );
}

/** Instances of a group that are not on their way out. */
export function aliveIn(group: AutoScalingGroup): NonNullable<AutoScalingGroup['Instances']> {
  return (group.Instances ?? []).filter(staysIn);
}

/** Lifecycle state of an instance in its group; undefined where it is not (any more) in it. */
export function lifecycleIn(group: AutoScalingGroup, instanceId: string): string | undefined {
  return group.Instances?.find((instance) => instance.InstanceId === instanceId)?.LifecycleState;
}

/** Whether an instance is not on its way out of its group. */
export function staysIn({ LifecycleState }: Pick<Instance, 'LifecycleState'>): boolean {
  return !/^(Terminat|Detach)/.test(LifecycleState ?? '');
}

/** How many of them each zone has; zones of the group without any are in it. */
export function instancesByZone(group: AutoScalingGroup): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries((group.AvailabilityZones ?? []).map((zone) => [zone, 0]));
  for (const { AvailabilityZone: zone = '' } of aliveIn(group)) counts[zone] = (counts[zone] ?? 0) + 1;
  return counts;
}

/** The EKS managed node group that an Auto Scaling group belongs to, by the tags that EKS gives it. */
export function managedBy(group: AutoScalingGroup): { cluster: string; nodegroup: string } | undefined {
  const tag = (key: string) => group.Tags?.find((candidate) => candidate.Key === key)?.Value;
  const cluster = tag('eks:cluster-name');
  const nodegroup = tag('eks:nodegroup-name');
  return cluster === undefined || nodegroup === undefined ? undefined : { cluster, nodegroup };
}

export function* chunks<T>(items: T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
