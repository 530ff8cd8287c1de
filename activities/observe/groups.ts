import {
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeInstanceRefreshesCommand,
} from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { DescribeLaunchTemplateVersionsCommand } from '@aws-sdk/client-ec2';
import type { ObservedGroup } from '../../domain/observation.js';
import { awsErrorName } from '../clients/errors.js';
import type { AwsClients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { batches, bounded } from './lists.js';

const REFRESH_OVER = new Set(['Successful', 'Failed', 'Cancelled', 'RollbackFailed', 'RollbackSuccessful']);

export interface GroupsSeen {
  groups: ObservedGroup[];
  /** Group by instance id. */
  groupOf: Map<string, string>;
  /** ARN by group name. */
  arns: Map<string, string>;
}

/** The Auto Scaling groups that the instances belong to. */
export async function observeGroups(aws: AwsClients, calls: AwsCalls, instanceIds: readonly string[]): Promise<GroupsSeen> {
  const groupOf = new Map<string, string>();
  await bounded(batches(instanceIds, 50), 4, async (ids) => {
    const answer = await calls.use(
      'autoscaling:DescribeAutoScalingInstances',
      () => aws.autoScaling.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: ids })),
      null,
    );
    for (const { InstanceId, AutoScalingGroupName } of answer?.AutoScalingInstances ?? []) {
      if (InstanceId !== undefined && AutoScalingGroupName !== undefined) groupOf.set(InstanceId, AutoScalingGroupName);
    }
  });
  const names = [...new Set(groupOf.values())].sort();
  const found = (
    await bounded(batches(names, 50), 4, async (some) => {
      const answer = await calls.use(
        'autoscaling:DescribeAutoScalingGroups',
        () => aws.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: some, MaxRecords: 100 })),
        null,
      );
      return answer?.AutoScalingGroups ?? [];
    })
  ).flat();
  const groups = await bounded(found, 4, (group) => observeGroup(aws, calls, group));
  const arns = new Map(found.map((group) => [group.AutoScalingGroupName ?? '', group.AutoScalingGroupARN ?? '']));
  return { groups: groups.sort((a, b) => (a.name < b.name ? -1 : 1)), groupOf, arns };
}

async function observeGroup(aws: AwsClients, calls: AwsCalls, group: AutoScalingGroup): Promise<ObservedGroup> {
  const name = group.AutoScalingGroupName ?? '';
  const [refreshes, nodeLabels] = await Promise.all([
    calls.use('autoscaling:DescribeInstanceRefreshes', () => aws.autoScaling.send(new DescribeInstanceRefreshesCommand({ AutoScalingGroupName: name })), null),
    launchTemplateLabels(aws, calls, group),
  ]);
  return {
    name,
    minSize: group.MinSize ?? 0,
    maxSize: group.MaxSize ?? 0,
    desiredCapacity: group.DesiredCapacity ?? 0,
    zones: group.AvailabilityZones ?? [],
    subnets: (group.VPCZoneIdentifier ?? '').split(',').filter((id) => id !== ''),
    suspendedProcesses: (group.SuspendedProcesses ?? []).map(({ ProcessName }) => ProcessName ?? ''),
    instances: (group.Instances ?? []).map((instance) => ({
      id: instance.InstanceId ?? '',
      zone: instance.AvailabilityZone ?? '',
      lifecycle: instance.LifecycleState ?? '',
      healthy: instance.HealthStatus?.toLowerCase() === 'healthy',
      protected: instance.ProtectedFromScaleIn === true,
    })),
    instanceRefreshes: (refreshes?.InstanceRefreshes ?? [])
      .filter(({ Status }) => !REFRESH_OVER.has(Status ?? ''))
      .map(({ InstanceRefreshId, Status }) => `${InstanceRefreshId ?? ''} ${Status ?? ''}`),
    nodegroup: group.Tags?.find(({ Key }) => Key === 'eks:nodegroup-name')?.Value,
    ...(nodeLabels === undefined ? {} : { nodeLabels }),
  };
}

/** Labels that the user data of the launch template gives to the kubelet; undefined where it cannot be read. */
async function launchTemplateLabels(aws: AwsClients, calls: AwsCalls, group: AutoScalingGroup): Promise<Record<string, string> | undefined> {
  const template = group.LaunchTemplate ?? group.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification;
  if (template?.LaunchTemplateId === undefined) return undefined;
  const answer = await calls.use(
    'ec2:DescribeLaunchTemplateVersions',
    async () => {
      try {
        return await aws.ec2.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: template.LaunchTemplateId, Versions: [template.Version ?? '$Default'] }));
      } catch (error) {
        // A template or version that was deleted under its group: nothing to read.
        if (awsErrorName(error)?.startsWith('InvalidLaunchTemplate') === true) return null;
        throw error;
      }
    },
    null,
  );
  const userData = answer?.LaunchTemplateVersions?.[0]?.LaunchTemplateData?.UserData;
  return userData === undefined ? undefined : kubeletLabels(Buffer.from(userData, 'base64').toString('utf8'));
}

/** `--node-labels=a=b,c=d`, in a script for the kubelet or in the flags of a nodeadm document. */
export function kubeletLabels(userData: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const match of userData.matchAll(/--node-labels[=\s]+["']?([^\s"']+)/g)) {
    for (const pair of (match[1] ?? '').split(',')) {
      const [key, value = ''] = pair.split('=');
      if (key !== undefined && key !== '') labels[key] = value;
    }
  }
  return labels;
}
