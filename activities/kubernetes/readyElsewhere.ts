import type { V1LabelSelector, V1Pod } from '@kubernetes/client-node';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { controllerOf, podReady } from '../../domain/kubernetes/resources.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { namespacePods } from './lists.js';

/** How many pods that a selector takes are ready, and not on their way out, on other nodes than this one. */
export async function readyElsewhere(clients: Clients, nodeName: string, { namespace, selector }: { namespace: string; selector: V1LabelSelector | undefined }): Promise<number> {
  const pods = await namespacePods(clients, namespace, selector?.matchLabels);
  return pods.filter((pod) => podReady(pod) && pod.spec?.nodeName !== nodeName && matchesSelector(selector, pod.metadata?.labels ?? {})).length;
}

/** Whether another replica of the pod's own ReplicaSet does its work on another node. Of pods of any other owner each is itself. */
export async function hasReadyTwin(clients: Clients, nodeName: string, { metadata }: V1Pod): Promise<boolean> {
  const owner = controllerOf(metadata);
  if (owner?.kind !== 'ReplicaSet') return false;
  const namespace = metadata?.namespace ?? '';
  const replicaSet = await orUndefined(clients.kube.apps.readNamespacedReplicaSet({ namespace, name: owner.name }));
  return replicaSet !== undefined && (await readyElsewhere(clients, nodeName, { namespace, selector: replicaSet.spec?.selector })) > 0;
}
