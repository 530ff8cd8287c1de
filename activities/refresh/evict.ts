import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { budgetBlocker } from '../../domain/kubernetes/drain.js';
import { controllerOf } from '../../domain/kubernetes/resources.js';
import { isConflict, isNotFound, kubeMessage, kubeStatus } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { labelSelectorText } from './labelSelector.js';

export type Eviction = { kind: 'accepted' } | { kind: 'gone' } | { kind: 'refused'; reason: string; todo: string };

/**
 * Asks the Eviction API for one pod, by UID. 429 is a PodDisruptionBudget's no (or the API server's own throttling, which is
 * thrown on); 500 is what the API server says of two budgets on one pod.
 */
export async function evict(clients: Clients, pod: V1Pod): Promise<Eviction> {
  const { name = '', namespace = '', uid } = pod.metadata ?? {};
  try {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } };
    await clients.kube.core.createNamespacedPodEviction({ name, namespace, body });
    return { kind: 'accepted' };
  } catch (error) {
    if (isNotFound(error)) return { kind: 'gone' };
    // Another pod has the name now: that one is not ours to evict.
    if (isConflict(error)) return { kind: 'gone' };
    if (isBudget(error)) return { kind: 'refused', ...(await budgetText(clients, pod, error)) };
    throw error;
  }
}

function isBudget(error: unknown): boolean {
  const code = kubeStatus(error);
  if (code === 429) return /disruption budget|DisruptionBudget/i.test(textOf(error));
  return code === 500 && /more than one PodDisruptionBudget/i.test(textOf(error));
}

function textOf(error: unknown): string {
  return error instanceof ApiException ? `${kubeMessage(error)} ${JSON.stringify(error.body)}` : String(error);
}

async function budgetText(clients: Clients, pod: V1Pod, error: unknown): Promise<{ reason: string; todo: string }> {
  const budgets = await budgetsOf(clients, pod);
  const owner = ownerOf(pod);
  if (budgets.length > 1) {
    const names = budgets.map((budget) => budget.metadata?.name).join(', ');
    return { reason: `${budgets.length} PDBs select it (${names}; owner ${owner}): the API server evicts no such pod`, todo: 'Leave one PDB that selects it' };
  }
  const [budget] = budgets;
  if (!budget) return { reason: kubeMessage(error), todo: `kubectl -n ${pod.metadata?.namespace} get pdb` };
  const status = budget.status;
  return budgetBlocker(pod, owner, {
    name: budget.metadata?.name ?? '',
    currentHealthy: status?.currentHealthy ?? 0,
    desiredHealthy: status?.desiredHealthy ?? 0,
    expectedPods: status?.expectedPods ?? 0,
    disruptionsAllowed: status?.disruptionsAllowed ?? 0,
  });
}

/** Asked only when an eviction was refused. */
async function budgetsOf(clients: Clients, pod: V1Pod): Promise<V1PodDisruptionBudget[]> {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const { items } = await clients.kube.policy.listNamespacedPodDisruptionBudget({ namespace });
  const selects = await Promise.all(
    items.map(async (budget) => {
      const labelSelector = labelSelectorText(budget.spec?.selector);
      const matching = await clients.kube.core.listNamespacedPod({ namespace, labelSelector, fieldSelector: `metadata.name=${name}` });
      return matching.items.length > 0;
    }),
  );
  return items.filter((_, index) => selects[index]);
}

/** `Deployment cart` for a pod of one of its ReplicaSets: the owner that a person knows. */
function ownerOf(pod: V1Pod): string {
  const controller = controllerOf(pod.metadata);
  if (!controller) return 'none';
  const hash = pod.metadata?.labels?.['pod-template-hash'];
  if (controller.kind === 'ReplicaSet' && hash && controller.name.endsWith(`-${hash}`)) return `Deployment ${controller.name.slice(0, -hash.length - 1)}`;
  return `${controller.kind} ${controller.name}`;
}
