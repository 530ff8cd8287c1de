import type { V1Node } from '@kubernetes/client-node';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { Clients } from '../clients/index.js';
import type { Place } from './driver.js';
import { placesOf } from './find.js';

/**
 * Pool and zone of each node's instance, asked for once an instance: it never changes its pool. So a cluster of a thousand nodes
 * costs its calls once, not with every look.
 */
export async function membershipsOf(clients: Clients, nodes: readonly V1Node[]): Promise<ReadonlyMap<string, Place>> {
  const unknown = nodes.filter((node) => !clients.memberships.has(instanceIdOf(node) ?? ''));
  for (const [id, { group, zone }] of await placesOf(clients, unknown)) clients.memberships.set(id, { group, zone });
  return clients.memberships;
}
