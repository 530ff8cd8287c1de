import { SetDesiredCapacityCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { UpdateNodegroupConfigCommand } from '@aws-sdk/client-eks';
import type { Clients } from '../clients/index.js';
import { managedBy } from './groups.js';

/**
 * Sets sizes of a group; absent ones stay. EKS owns those of a managed node group, so they are set there: it would put back
 * what somebody set on its Auto Scaling group. Never called to lower a DesiredCapacity.
 * https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
 */
export async function setSizes(clients: Clients, group: AutoScalingGroup, sizes: { desired?: number; max?: number }): Promise<void> {
  const managed = managedBy(group);
  if (managed !== undefined) {
    const scalingConfig = { ...(sizes.desired === undefined ? {} : { desiredSize: sizes.desired }), ...(sizes.max === undefined ? {} : { maxSize: sizes.max }) };
    await clients.aws.eks.send(new UpdateNodegroupConfigCommand({ clusterName: managed.cluster, nodegroupName: managed.nodegroup, scalingConfig }));
    return;
  }
  const AutoScalingGroupName = group.AutoScalingGroupName ?? '';
  if (sizes.max !== undefined) await clients.aws.autoScalingOnce.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MaxSize: sizes.max }));
  if (sizes.desired !== undefined) await clients.aws.autoScalingOnce.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: sizes.desired, HonorCooldown: false }));
}

/**
 * DesiredCapacity down, of a managed node group too: EKS would end nodes of its choice where desiredSize is lower than what there
 * is by then, and takes seconds to begin. It follows its group's, as it does for an autoscaler. Only while no launch can begin.
 * https://docs.aws.amazon.com/eks/latest/APIReference/API_NodegroupScalingConfig.html
 *
 * @param to never below the instances that there are, or Auto Scaling ends some of them
 */
export async function lowerDesired(clients: Clients, { AutoScalingGroupName = '' }: AutoScalingGroup, to: number): Promise<void> {
  await clients.aws.autoScalingOnce.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: to, HonorCooldown: false }));
}
