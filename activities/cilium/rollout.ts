import type { V1DaemonSet, V1Deployment, V1Pod } from '@kubernetes/client-node';
import { podFinished, podReady } from '../../domain/kubernetes/resources.js';
import { KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Clients } from '../clients/index.js';
import { rolloutBlockers } from '../kubernetes/awsNode.js';
import { selectorOf, systemPods } from '../kubernetes/lists.js';

const REVISION_HASH = 'controller-revision-hash';
const TEMPLATE_HASH = 'pod-template-hash';

/** A DaemonSet is rolled out, and each of its pods is ready and of its newest ControllerRevision. */
export async function daemonSetBlockers(clients: Clients, daemonSet: V1DaemonSet): Promise<Blocker[]> {
  const name = daemonSet.metadata?.name ?? '';
  const object = `DaemonSet ${KUBE_SYSTEM}/${name}`;
  const rollout = rolloutBlockers(daemonSet, object);
  if (rollout.length > 0) return rollout;
  const selector = selectorOf(daemonSet, name);
  const { items } = await clients.kube.apps.listNamespacedControllerRevision({ namespace: KUBE_SYSTEM, labelSelector: selector });
  const own = items.filter((revision) => revision.metadata?.ownerReferences?.some((owner) => owner.uid === daemonSet.metadata?.uid));
  const newest = own.sort((a, b) => b.revision - a.revision)[0]?.metadata?.labels?.[REVISION_HASH];
  if (newest === undefined) return [{ object, reason: 'has no ControllerRevision yet', todo: 'It is awaited.' }];
  return staleOrUnready(object, await systemPods(clients, selector), { label: REVISION_HASH, value: newest });
}

/** A Deployment is rolled out, and each of its pods is ready and of its newest ReplicaSet. */
export async function deploymentBlockers(clients: Clients, deployment: V1Deployment): Promise<Blocker[]> {
  const { metadata, spec, status } = deployment;
  const object = `Deployment ${KUBE_SYSTEM}/${metadata?.name}`;
  const todo = `kubectl -n ${KUBE_SYSTEM} rollout status deploy/${metadata?.name}`;
  const wanted = spec?.replicas ?? 1;
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return [{ object, reason: 'its newest state is not observed yet', todo }];
  if ((status?.updatedReplicas ?? 0) < wanted) return [{ object, reason: `${status?.updatedReplicas ?? 0} of ${wanted} replicas are up to date`, todo }];
  if ((status?.replicas ?? 0) > wanted) return [{ object, reason: `${(status?.replicas ?? 0) - wanted} old replicas still run`, todo }];
  if ((status?.readyReplicas ?? 0) < wanted) return [{ object, reason: `${status?.readyReplicas ?? 0} of ${wanted} replicas are ready`, todo }];
  const revision = metadata?.annotations?.['deployment.kubernetes.io/revision'];
  const labels = Object.entries(spec?.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const labelSelector = labels.join(',');
  const { items } = await clients.kube.apps.listNamespacedReplicaSet({ namespace: KUBE_SYSTEM, labelSelector });
  const newest = items.find((replicaSet) => replicaSet.metadata?.annotations?.['deployment.kubernetes.io/revision'] === revision);
  const hash = newest?.metadata?.labels?.[TEMPLATE_HASH];
  if (hash === undefined) return [{ object, reason: 'has no ReplicaSet of its newest revision yet', todo }];
  return staleOrUnready(object, await systemPods(clients, labelSelector), { label: TEMPLATE_HASH, value: hash });
}

/** Judged pod by pod: counters of a status may be a moment old. */
function staleOrUnready(object: string, pods: V1Pod[], hash: { label: string; value: string }): Blocker[] {
  const live = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined && !podFinished(pod));
  const todo = `kubectl -n ${KUBE_SYSTEM} describe pod`;
  return live.flatMap((pod): Blocker[] => {
    const name = pod.metadata?.name ?? '';
    if (pod.metadata?.labels?.[hash.label] !== hash.value) return [{ object, reason: `pod ${name} runs an older revision`, todo: `${todo} ${name}` }];
    return podReady(pod) ? [] : [{ object, reason: `pod ${name} is not ready (${pod.status?.phase})`, todo: `${todo} ${name}` }];
  });
}
