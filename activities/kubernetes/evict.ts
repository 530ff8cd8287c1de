import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { budgetBlocker } from '../../domain/kubernetes/drain.js';
import { controllerOf, fullName } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import { kubeMessage, orUndefined, retryAfterMs, statusOf } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

/** `evicted`: on its way. `gone`: not there any more, or another pod by now. `blocked`: the API server refused. */
export type Eviction = { result: 'evicted' } | { result: 'gone' } | { result: 'blocked'; blocker: Blocker; retryAfterMs?: number };

/** Asks the Eviction API for this very pod: a pod of the same name that lives elsewhere has another UID, and is left alone. */
export async function evict(clients: Clients, pod: V1Pod): Promise<Eviction> {
  const { name = '', namespace = '', uid } = pod.metadata ?? {};
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } };
  try {
    await clients.kube.core.createNamespacedPodEviction({ name, namespace, body });
    return { result: 'evicted' };
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    switch (error.code) {
      case 404:
      // A UID that no longer fits is a conflict.
      case 409:
        return { result: 'gone' };
      case 403:
        // The namespace is being deleted, and its pods with it.
        if (!statusOf(error).details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) throw error;
        return { result: 'blocked', blocker: { object: `Pod ${fullName(pod.metadata)}`, reason: `namespace ${namespace} is being deleted`, todo: 'It goes with it.' } };
      case 429:
        return { result: 'blocked', blocker: await refused(clients, pod, error), retryAfterMs: retryAfterMs(error) };
      case 500:
        // "more than one PodDisruptionBudget": no outage, and it will not pass by itself.
        if (!/PodDisruptionBudget/i.test(kubeMessage(error))) throw error;
        return { result: 'blocked', blocker: twoBudgets(pod) };
      default:
        throw error;
    }
  }
}

function twoBudgets(pod: V1Pod): Blocker {
  const namespace = pod.metadata?.namespace ?? '';
  return { object: `Pod ${fullName(pod.metadata)}`, reason: 'more than one PodDisruptionBudget matches it, which the Eviction API refuses', todo: `Leave one: kubectl -n ${namespace} get pdb`, firm: true };
}

async function refused(clients: Clients, pod: V1Pod, error: ApiException<unknown>): Promise<Blocker> {
  const object = `Pod ${fullName(pod.metadata)}`;
  const namespace = pod.metadata?.namespace ?? '';
  const cause = statusOf(error).details?.causes?.find((candidate) => candidate.reason === 'DisruptionBudget');
  const name = /disruption budget (\S+) needs/i.exec(cause?.message ?? '')?.[1];
  const budget = name === undefined ? undefined : await orUndefined(clients.kube.policy.readNamespacedPodDisruptionBudget({ namespace, name }));
  if (budget === undefined) return { object, reason: cause?.message ?? kubeMessage(error), todo: 'It is tried again.' };
  return { object, ...budgetBlocker(pod, await ownerName(clients, pod), figures(budget)) };
}

function figures(budget: V1PodDisruptionBudget): Parameters<typeof budgetBlocker>[2] {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0 } = budget.status ?? {};
  return { name: budget.metadata?.name ?? '', currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed };
}

/** `Deployment cart`: what a person would scale. */
async function ownerName(clients: Clients, pod: V1Pod): Promise<string> {
  const owner = controllerOf(pod.metadata);
  if (owner === undefined) return 'nobody';
  if (owner.kind !== 'ReplicaSet') return `${owner.kind} ${owner.name}`;
  const replicaSet = await orUndefined(clients.kube.apps.readNamespacedReplicaSet({ namespace: pod.metadata?.namespace ?? '', name: owner.name }));
  const root = controllerOf(replicaSet?.metadata);
  return root === undefined ? `ReplicaSet ${owner.name}` : `${root.kind} ${root.name}`;
}
