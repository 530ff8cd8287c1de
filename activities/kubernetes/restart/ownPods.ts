import type { V1Pod } from '@kubernetes/client-node';
import { MIRROR_ANNOTATION } from '../../../domain/kubernetes/drain.js';
import type { LabelSelector } from '../../../domain/kubernetes/labelSelector.js';
import { matchesSelector } from '../../../domain/kubernetes/labelSelector.js';
import { controllerOf, podFinished } from '../../../domain/kubernetes/resources.js';
import { BARE, restartName, rootOf } from '../../../domain/kubernetes/restartOwner.js';
import type { RestartOwner } from '../../../domain/kubernetes/restartOwner.js';
import { orUndefined } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';
import { namespacePods, replicaSetParents } from '../lists.js';

/** Pods that this owner makes, and that are not over: selected by it where it has a selector, and traced back to it. */
export async function ownPods(clients: Clients, owner: RestartOwner, selector?: LabelSelector): Promise<V1Pod[]> {
  const pods = (await candidates(clients, owner, selector)).filter((pod) => !podFinished(pod) && pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined);
  const throughReplicaSet = owner.kind !== 'ReplicaSet' && pods.some(({ metadata }) => controllerOf(metadata)?.kind === 'ReplicaSet');
  const parents = throughReplicaSet ? await replicaSetParents(clients, owner.namespace) : new Map<string, never>();
  return pods.filter(({ metadata }) => restartName(rootOf(metadata, parents)) === restartName(owner));
}

async function candidates(clients: Clients, { kind, namespace, name }: RestartOwner, selector?: LabelSelector): Promise<V1Pod[]> {
  if (kind === BARE) {
    const pod = await orUndefined(clients.kube.core.readNamespacedPod({ namespace, name }));
    return pod === undefined ? [] : [pod];
  }
  const pods = await namespacePods(clients, namespace, selector?.matchLabels);
  return selector === undefined ? pods : pods.filter(({ metadata }) => matchesSelector(selector, metadata?.labels ?? {}));
}
