import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { syncFailure } from '../../domain/kubernetes/budget.js';
import { budgetBlocker } from '../../domain/kubernetes/drain.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import { isConflict, isNotFound, kubeMessage, orUndefined, retryAfterMs, statusOf } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { ownerOf, ownerText } from './owner.js';

/** `evicted`: on its way. `gone`: not there any more, or another pod by now. `blocked`: the API server refused. */
export type Eviction = { result: 'evicted' } | { result: 'gone' } | ({ result: 'blocked'; retryAfterMs?: number } & Refused);

/** Why the API server refused; `budget`: `namespace/name` of the PodDisruptionBudget. */
interface Refused {
  blocker: Blocker;
  owner: string;
  budget?: string;
}

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
        return { result: 'blocked', blocker: { object: `Pod ${fullName(pod.metadata)}`, reason: `namespace ${namespace} is being deleted`, todo: 'It goes with it.' }, owner: ownerText(await ownerOf(clients, pod)) };
      case 429:
        return { result: 'blocked', ...(await refused(clients, pod, error)), retryAfterMs: retryAfterMs(error) };
      case 500:
        // "more than one PodDisruptionBudget": no outage, and it will not pass by itself.
        if (!/PodDisruptionBudget/i.test(kubeMessage(error))) throw error;
        return { result: 'blocked', ...(await twoBudgets(clients, pod)) };
      default:
        throw error;
    }
  }
}

/** Deletes this very pod, past its budgets: only ever what a person approved by name. */
export async function deletePod({ kube: { core } }: Clients, { metadata }: V1Pod): Promise<void> {
  const { name = '', namespace = '', uid } = metadata ?? {};
  try {
    await core.deleteNamespacedPod({ name, namespace, body: { preconditions: { uid } } });
  } catch (error) {
    // Gone, or another pod of that name by now.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function twoBudgets(clients: Clients, pod: V1Pod): Promise<Refused> {
  const namespace = pod.metadata?.namespace ?? '';
  const { items } = await clients.kube.policy.listNamespacedPodDisruptionBudget({ namespace });
  const names = items.filter(({ spec }) => matchesSelector(spec?.selector, pod.metadata?.labels ?? {})).map(({ metadata }) => metadata?.name ?? '');
  const blocker = { object: `Pod ${fullName(pod.metadata)}`, reason: `more than one PodDisruptionBudget matches it (${names.join(', ')}), which the Eviction API refuses`, todo: `Leave one: kubectl -n ${namespace} get pdb`, firm: true };
  return { blocker, owner: ownerText(await ownerOf(clients, pod)), budget: names.map((name) => `${namespace}/${name}`).join(', ') };
}

async function refused(clients: Clients, pod: V1Pod, error: ApiException<unknown>): Promise<Refused> {
  const object = `Pod ${fullName(pod.metadata)}`;
  const namespace = pod.metadata?.namespace ?? '';
  const cause = statusOf(error).details?.causes?.find((candidate) => candidate.reason === 'DisruptionBudget');
  const name = /disruption budget (\S+) (?:needs|does not allow)/i.exec(cause?.message ?? '')?.[1];
  const budget = name === undefined ? undefined : await orUndefined(clients.kube.policy.readNamespacedPodDisruptionBudget({ namespace, name }));
  const owner = ownerText(await ownerOf(clients, pod));
  if (budget === undefined) return { owner, blocker: { object, reason: cause?.message ?? kubeMessage(error), todo: 'It is tried again.' } };
  return { owner, blocker: { object, ...budgetBlocker(pod, owner, figures(budget)) }, budget: `${namespace}/${name}` };
}

function figures(budget: V1PodDisruptionBudget): Parameters<typeof budgetBlocker>[2] {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0 } = budget.status ?? {};
  return { name: budget.metadata?.name ?? '', currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, failed: syncFailure(budget.status?.conditions) };
}
