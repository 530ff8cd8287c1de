import { DescribeScalingActivitiesCommand } from '@aws-sdk/client-auto-scaling';
import type { Clients } from '../clients/index.js';

/** The newest are enough: a group that cannot launch tries again and again. */
const NEWEST = 10;

/** Why the last launch of a group failed, in AWS's words; undefined where it did not. */
export async function failedLaunch(clients: Clients, group: string): Promise<string | undefined> {
  const { Activities = [] } = await clients.aws.autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group, MaxRecords: NEWEST }));
  const last = Activities.find(({ Description }) => Description?.startsWith('Launching'));
  if (last?.StatusCode !== 'Failed' && last?.StatusCode !== 'Cancelled') return undefined;
  return last.StatusMessage ?? last.Cause ?? last.StatusCode;
}
