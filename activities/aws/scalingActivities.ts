import { DescribeScalingActivitiesCommand } from '@aws-sdk/client-auto-scaling';
import type { Activity, AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Clients } from '../clients/index.js';

/** The newest are enough: a group that cannot launch tries again and again. */
const NEWEST = 10;

/** Why the last launch of a group failed, in AWS's words; undefined where it did not. */
export async function failedLaunch(clients: Clients, group: string): Promise<string | undefined> {
  return failureOf((await newestLaunches(clients, group))[0]);
}

/** Launches of a group: why the last one failed, and whether one is under way whose instance is not among those of the group yet. */
export async function launchesSeen(clients: Clients, { AutoScalingGroupName = '', Instances = [] }: AutoScalingGroup): Promise<{ failed: string | undefined; underWay: boolean }> {
  const launches = await newestLaunches(clients, AutoScalingGroupName);
  const isThere = ({ Description }: Activity): boolean => Instances.some(({ InstanceId = '' }) => InstanceId !== '' && Description?.endsWith(InstanceId));
  return { failed: failureOf(launches[0]), underWay: launches.some((launch) => !isOver(launch) && !isThere(launch)) };
}

async function newestLaunches(clients: Clients, group: string): Promise<Activity[]> {
  const { Activities = [] } = await clients.aws.autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group, MaxRecords: NEWEST }));
  return Activities.filter(({ Description }) => Description?.startsWith('Launching'));
}

function failureOf(launch: Activity | undefined): string | undefined {
  if (launch?.StatusCode !== 'Failed' && launch?.StatusCode !== 'Cancelled') return undefined;
  return launch.StatusMessage ?? launch.Cause ?? launch.StatusCode;
}

function isOver({ StatusCode }: Activity): boolean {
  return StatusCode === 'Successful' || StatusCode === 'Failed' || StatusCode === 'Cancelled';
}
