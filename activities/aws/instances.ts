import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { chunks } from './groups.js';
import { together } from './together.js';

/** EC2's own limit; a page of its answer holds more. */
const VALUES_A_FILTER = 200;

export interface InstanceSeen {
  /** EC2 forgets an instance about an hour after its end: unknown is `terminated`. */
  state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  instance: Instance | undefined;
}

const readTogether = together(readInstances, ({ InstanceId }: Instance) => InstanceId, VALUES_A_FILTER);

/** State of one instance, as EC2 says now; asked for together with what others ask. */
export async function readInstance(clients: Clients, instanceId: string): Promise<InstanceSeen> {
  const instance = await readTogether(clients, instanceId);
  return instance === undefined ? readAlone(clients, instanceId) : { state: instance.State?.Name ?? 'terminated', instance };
}

/** A filter says nothing of what it does not find: an instance that is gone, or something that is no id. */
async function readAlone(clients: Clients, instanceId: string): Promise<InstanceSeen> {
  try {
    const { Reservations = [] } = await clients.aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const instance = Reservations.flatMap((reservation) => reservation.Instances ?? [])[0];
    return { state: instance?.State?.Name ?? 'terminated', instance };
  } catch (error) {
    if (/^InvalidInstanceID\.NotFound/.test(awsErrorName(error) ?? '')) return { state: 'terminated', instance: undefined };
    throw error;
  }
}

export async function readInstances(clients: Clients, ids: string[]): Promise<Instance[]> {
  const found: Instance[] = [];
  for (const Values of chunks([...new Set(ids)], VALUES_A_FILTER)) {
    // A filter, not InstanceIds: an id that EC2 has forgotten would fail the whole call.
    const { Reservations = [] } = await clients.aws.ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values }] }));
    found.push(...Reservations.flatMap((reservation) => reservation.Instances ?? []));
  }
  return found;
}

/** On its way out, or gone: nothing is left to terminate. */
export function isGoing(state: InstanceSeen['state']): boolean {
  return state === 'shutting-down' || state === 'terminated';
}

/** `2026-11-22 23:00:00 GMT` of `User initiated (2026-11-22 23:00:00 GMT)`. */
export function endedAt(instance: Instance | undefined): Date | undefined {
  const text = /\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)/.exec(instance?.StateTransitionReason ?? '')?.[1];
  return text === undefined ? undefined : new Date(`${text.replace(' ', 'T')}Z`);
}

/** Group of an instance by its tag, which stays on it after its end. */
export function groupTag(instance: Instance | undefined): string | undefined {
  return instance?.Tags?.find((tag) => tag.Key === 'aws:autoscaling:groupName')?.Value;
}
