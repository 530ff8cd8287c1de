import { assertHolder } from '../kubernetes/lease.js';
import type { NodeRequest, Target } from '../api.js';
import type { ClientPool, Clients } from '../clients/index.js';
import type { ReplacementDriver } from './driver.js';
import type { V1Node } from '@kubernetes/client-node';
import { orUndefined } from '../clients/errors.js';

export interface RefreshDeps {
  pool: ClientPool;
  driver: ReplacementDriver;
}

export function clientsOf(deps: RefreshDeps, target: Target): Promise<Clients> {
  return deps.pool.for(target.cluster);
}

/** Clients for an activity that writes: the Lease must still be this run's. */
export async function writingClients(deps: RefreshDeps, target: Target): Promise<Clients> {
  const clients = await clientsOf(deps, target);
  await assertHolder(clients, target);
  return clients;
}

/** The Node of this very request, by name and UID; a Node of the same name with another UID is another machine's. */
export async function sameNode(clients: Clients, { node }: NodeRequest): Promise<V1Node | undefined> {
  const seen = await nodeNamed(clients, node.name);
  return seen?.metadata?.uid === node.uid ? seen : undefined;
}

export function nodeNamed(clients: Clients, name: string): Promise<V1Node | undefined> {
  return orUndefined(clients.kube.core.readNode({ name }));
}
