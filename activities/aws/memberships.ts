import type { Clients } from '../clients/index.js';
import { groupsOf } from './groups.js';
import type { Membership } from './groups.js';
import { groupTag, readInstances } from './instances.js';

/**
 * Group and zone of each instance, asked for once an instance: it never changes its group. One on its way out has left it, but
 * its tag still names it. So a cluster of a thousand nodes costs its calls once, not with every look.
 */
export async function membershipsOf(clients: Clients, instanceIds: readonly string[]): Promise<ReadonlyMap<string, Membership>> {
  const unknown = instanceIds.filter((id) => !clients.memberships.has(id));
  if (unknown.length > 0) {
    const found = await groupsOf(clients, unknown);
    const left = await readInstances(clients, unknown.filter((id) => !found.has(id)));
    for (const membership of found.values()) clients.memberships.set(membership.instanceId, membership);
    for (const instance of left) {
      const group = groupTag(instance);
      const instanceId = instance.InstanceId ?? '';
      if (group !== undefined) clients.memberships.set(instanceId, { instanceId, group, zone: instance.Placement?.AvailabilityZone ?? '' });
    }
  }
  return clients.memberships;
}
