import type { V1Pod } from '@kubernetes/client-node';
import { controllerOf } from '../../domain/kubernetes/resources.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

/** What a person would scale. */
export interface Owner {
  kind: string;
  name: string;
}

/** Through the ReplicaSet to its Deployment; undefined for a bare pod. */
export async function ownerOf(clients: Clients, pod: V1Pod): Promise<Owner | undefined> {
  const owner = controllerOf(pod.metadata);
  if (owner?.kind !== 'ReplicaSet') return owner;
  return (await replicaSetOwner(clients, { namespace: pod.metadata?.namespace ?? '', name: owner.name, uid: owner.uid })) ?? owner;
}

/** By UID of the ReplicaSet: what made it never changes, and every node has pods of the same ones. */
const known = new WeakMap<Clients, Map<string, Owner>>();

/** What made a ReplicaSet; undefined where nothing did, or it is gone. */
export async function replicaSetOwner(clients: Clients, { namespace, name, uid }: { namespace: string; name: string; uid?: string | undefined }): Promise<Owner | undefined> {
  const owners = known.get(clients) ?? new Map<string, Owner>();
  known.set(clients, owners);
  const remembered = owners.get(uid ?? '');
  if (remembered !== undefined) return remembered;
  const replicaSet = await orUndefined(clients.kube.apps.readNamespacedReplicaSet({ namespace, name }));
  const made = controllerOf(replicaSet?.metadata);
  const owner = made && { kind: made.kind, name: made.name };
  if (owner !== undefined && uid !== undefined && replicaSet?.metadata?.uid === uid) owners.set(uid, owner);
  return owner;
}

/** `Deployment cart`, or `nobody`. */
export function ownerText(owner: Owner | undefined): string {
  return owner === undefined ? 'nobody' : `${owner.kind} ${owner.name}`;
}
