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
  const replicaSet = await orUndefined(clients.kube.apps.readNamespacedReplicaSet({ namespace: pod.metadata?.namespace ?? '', name: owner.name }));
  return controllerOf(replicaSet?.metadata) ?? owner;
}

/** `Deployment cart`, or `nobody`. */
export function ownerText(owner: Owner | undefined): string {
  return owner === undefined ? 'nobody' : `${owner.kind} ${owner.name}`;
}
