import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import { syncFailure } from '../../domain/kubernetes/budget.js';
import { budgetBlocker } from '../../domain/kubernetes/drain.js';
import { evictionVerdict } from '../../domain/kubernetes/eviction.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import { isConflict, isNotFound, kubeMessage, orUndefined, retryAfterMs, statusOf } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { ownerOf, ownerText } from './owner.js';

/** `evicted`: on its way. `gone`: not there any more, or another pod by now. `blocked`: the API server refused this one. */
export type Eviction = { result: 'evicted' } | { result: 'gone' } | ({ result: 'blocked'; retryAfterMs: number | undefined } & Refused);

/** Why the API server refused; `budget`: `namespace/name` of the PodDisruptionBudget. */
export interface Refused {
  cause: 'budget' | 'refused';
  blocker: Blocker;
  owner: string;
  budget?: string;
}

/** Evictions side by side in one cluster, of all nodes: each makes the API server read every budget of the pod's namespace, and others have calls to make. */
const AT_ONCE = 24;
const limits = new WeakMap<Clients, LimitFunction>();

function limitOf(clients: Clients): LimitFunction {
  const limit = limits.get(clients) ?? pLimit(AT_ONCE);
  limits.set(clients, limit);
  return limit;
}

/**
 * Asks the Eviction API for this very pod: a pod of the same name that lives elsewhere has another UID, and is left alone.
 * @throws ApiException where the answer is not about this pod: missing rights, an outage, an API server that has too much to do
 */
export async function evict(clients: Clients, pod: V1Pod): Promise<Eviction> {
  const { name = '', namespace = '', uid } = pod.metadata ?? {};
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } };
  try {
    await limitOf(clients)(() => clients.kube.core.createNamespacedPodEviction({ name, namespace, body }));
    return { result: 'evicted' };
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    return judged(clients, pod, error);
  }
}

async function judged(clients: Clients, pod: V1Pod, error: ApiException<unknown>): Promise<Eviction> {
  const { reason, details } = statusOf(error);
  const causes = details?.causes ?? [];
  const verdict = evictionVerdict({ code: error.code, reason, message: kubeMessage(error), causes });
  const blocked = async (why: Pick<Blocker, 'reason' | 'todo'>): Promise<Eviction> => {
    const blocker: Blocker = { object: `Pod ${fullName(pod.metadata)}`, reason: why.reason, todo: why.todo };
    return { result: 'blocked', cause: 'refused', blocker, owner: ownerText(await ownerOf(clients, pod)), retryAfterMs: retryAfterMs(error) };
  };
  switch (verdict.is) {
    case 'gone':
      return { result: 'gone' };
    case 'conflict':
      return (await afterConflict(clients, pod)) ?? blocked({ reason: kubeMessage(error), todo: 'It is tried again.' });
    case 'budget':
      return { result: 'blocked', ...(await oneBudget(clients, pod, verdict)), retryAfterMs: retryAfterMs(error) };
    case 'budgets':
      return { result: 'blocked', ...(await twoBudgets(clients, pod)), retryAfterMs: retryAfterMs(error) };
    case 'refused':
      // The namespace is being deleted, and its pods with it.
      return causes.some((cause) => cause.reason === 'NamespaceTerminating') ? blocked({ reason: `namespace ${pod.metadata?.namespace} is being deleted`, todo: 'It goes with it.' }) : blocked(verdict);
    case 'failed':
      throw error;
  }
}

/** A UID that no longer fits is a conflict, but so is a budget that somebody else wrote to. Undefined: the pod is there as it was. */
async function afterConflict({ kube: { core } }: Clients, { metadata }: V1Pod): Promise<Eviction | undefined> {
  const { name = '', namespace = '', uid } = metadata ?? {};
  const now = await orUndefined(core.readNamespacedPod({ name, namespace }));
  if (now?.metadata?.uid !== uid) return { result: 'gone' };
  return now?.metadata?.deletionTimestamp === undefined ? undefined : { result: 'evicted' };
}

/** Whether this budget (`namespace/name`) would allow an eviction now, as far as its controller has come. */
export async function isFree({ kube: { policy } }: Clients, budget: string): Promise<boolean> {
  const [namespace = '', name = ''] = budget.split('/');
  const found = await orUndefined(policy.readNamespacedPodDisruptionBudget({ namespace, name }));
  if (found === undefined) return true;
  return (found.status?.disruptionsAllowed ?? 0) > 0 && (found.status?.observedGeneration ?? 0) >= (found.metadata?.generation ?? 0);
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
  return { cause: 'budget', blocker, owner: ownerText(await ownerOf(clients, pod)), budget: names.map((name) => `${namespace}/${name}`).join(', ') };
}

async function oneBudget(clients: Clients, pod: V1Pod, { name, reason }: { name?: string; reason: string }): Promise<Refused> {
  const object = `Pod ${fullName(pod.metadata)}`;
  const namespace = pod.metadata?.namespace ?? '';
  const owner = ownerText(await ownerOf(clients, pod));
  const found = name === undefined ? undefined : await orUndefined(clients.kube.policy.readNamespacedPodDisruptionBudget({ namespace, name }));
  if (found === undefined) return { cause: 'budget', owner, blocker: { object, reason, todo: 'It is tried again.' } };
  return { cause: 'budget', owner, blocker: { object, ...budgetBlocker(pod, owner, figures(found)) }, budget: `${namespace}/${name}` };
}

function figures(budget: V1PodDisruptionBudget): Parameters<typeof budgetBlocker>[2] {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0 } = budget.status ?? {};
  return { name: budget.metadata?.name ?? '', currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, failed: syncFailure(budget.status?.conditions) };
}
