import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

/** `running` covers every state from which it may still run pods; `gone` is terminated, or forgotten by EC2. */
export type InstanceLife = 'running' | 'going' | 'gone';

/** EC2's word on one instance. */
export async function instanceLife(clients: Clients, instanceId: string): Promise<InstanceLife> {
  const state = (await readInstance(clients, instanceId))?.State?.Name;
  switch (state) {
    case undefined:
    case 'terminated':
      return 'gone';
    case 'shutting-down':
      return 'going';
    case 'pending':
    case 'running':
    case 'stopping':
    case 'stopped':
      return 'running';
    default:
      return state satisfies never;
  }
}

/** Launch times (epoch milliseconds) of the instances that EC2 still knows. */
export async function launchTimes(clients: Clients, instanceIds: string[]): Promise<Map<string, number>> {
  if (instanceIds.length === 0) return new Map();
  const { Reservations } = await clients.aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: instanceIds }));
  const instances = (Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []);
  return new Map(instances.map((instance) => [instance.InstanceId ?? '', instance.LaunchTime?.getTime() ?? 0]));
}

async function readInstance(clients: Clients, instanceId: string): Promise<Instance | undefined> {
  try {
    const { Reservations } = await clients.aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    return Reservations?.[0]?.Instances?.[0];
  } catch (error) {
    // EC2 forgets a terminated instance after about an hour.
    if (awsErrorName(error) === 'InvalidInstanceID.NotFound') return undefined;
    throw error;
  }
}
