import {
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeScalingActivitiesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../domain/failures.js';
import { awsErrorName } from '../clients/errors.js';
import type { ReplacementDriver } from './driver.js';

/** DescribeAutoScalingInstances takes at most this many ids. */
const BATCH = 50;

/** Nodes of an Auto Scaling group, self-managed or behind an EKS managed node group. */
export const autoScalingGroup: ReplacementDriver = {
  async groupsOf(clients, instanceIds) {
    const groups = new Map<string, string>();
    for (let from = 0; from < instanceIds.length; from += BATCH) {
      const InstanceIds = instanceIds.slice(from, from + BATCH);
      const { AutoScalingInstances } = await clients.aws.autoScaling.send(new DescribeAutoScalingInstancesCommand({ InstanceIds }));
      for (const instance of AutoScalingInstances ?? []) {
        if (instance.InstanceId && instance.AutoScalingGroupName) groups.set(instance.InstanceId, instance.AutoScalingGroupName);
      }
    }
    return groups;
  },

  async group(clients, name) {
    const { AutoScalingGroups } = await clients.aws.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
    const group = AutoScalingGroups?.[0];
    if (!group) {
      const todo = 'Restore the group, or abort: its nodes would not come back.';
      throw new CiliateError('NeedsHuman', { object: `Auto Scaling group ${name}`, expected: 'it to exist', seen: 'no such group', todo }, { code: 'GroupGone' });
    }
    return {
      name,
      desiredCapacity: group.DesiredCapacity ?? 0,
      minSize: group.MinSize ?? 0,
      instances: (group.Instances ?? []).map((instance) => ({
        id: instance.InstanceId ?? '',
        zone: instance.AvailabilityZone ?? '',
        inService: instance.LifecycleState === 'InService' && instance.HealthStatus !== 'Unhealthy',
        lifecycle: instance.LifecycleState ?? 'unknown',
      })),
    };
  },

  async launchProblem(clients, name) {
    const { Activities } = await clients.aws.autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName: name, MaxRecords: 5 }));
    const newest = Activities?.find((activity) => /launch/i.test(activity.Description ?? ''));
    return newest?.StatusCode === 'Failed' ? (newest.StatusMessage ?? newest.Description ?? 'failed') : null;
  },

  async terminate(clients, instanceId, decrement) {
    const input = { InstanceId: instanceId, ShouldDecrementDesiredCapacity: decrement };
    try {
      await clients.aws.autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand(input));
    } catch (error) {
      if (awsErrorName(error) !== 'ValidationError') throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new CiliateError(
        'NeedsHuman',
        {
          object: `Instance ${instanceId}`,
          expected: `its Auto Scaling group to terminate it${decrement ? ' and shrink by one' : ''}`,
          seen: said,
          todo: 'Mend what it says (MinSize, protection, a group in deletion), then retry the node.',
        },
        { code: 'TerminationRefused', cause: error },
      );
    }
  },
};
