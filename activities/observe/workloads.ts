import { AutoscalingV2Api } from '@kubernetes/client-node';
import type { V1Deployment, V1PodDisruptionBudget, V1StatefulSet } from '@kubernetes/client-node';
import { budgetFinder, syncFailure } from '../../domain/kubernetes/budget.js';
import type { ObservedCluster } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { allPages, mapPages } from '../clients/pages.js';
import { readable } from './lists.js';
import type { SeenPod } from './pods.js';

/** Every PodDisruptionBudget of the cluster. */
export function listBudgets(kube: KubeClients): Promise<V1PodDisruptionBudget[]> {
  return readable(allPages((page) => kube.policy.listPodDisruptionBudgetForAllNamespaces(page)), []);
}

/** A budget as hazards read it. */
export function observedBudget({ metadata, spec, status }: V1PodDisruptionBudget): ObservedCluster['pdbs'][number] {
  const { minAvailable, maxUnavailable } = spec ?? {};
  const rule = maxUnavailable !== undefined ? `maxUnavailable: ${maxUnavailable}` : minAvailable !== undefined ? `minAvailable: ${minAvailable}` : undefined;
  const failed = syncFailure(status?.conditions);
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    expectedPods: status?.expectedPods ?? 0,
    currentHealthy: status?.currentHealthy ?? 0,
    desiredHealthy: status?.desiredHealthy ?? 0,
    disruptionsAllowed: status?.disruptionsAllowed ?? 0,
    ...(rule === undefined ? {} : { rule }),
    ...(failed === undefined ? {} : { failed }),
  };
}

/** Names of the budgets that count a pod. */
function finderOf(budgets: readonly V1PodDisruptionBudget[]): ReturnType<typeof budgetFinder> {
  return budgetFinder(budgets.map(({ metadata, spec }) => ({ namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', selector: spec?.selector })));
}

/** Pods that more than one budget counts: the Eviction API refuses them for good. */
export function budgetOverlaps(pods: readonly SeenPod[], budgets: readonly V1PodDisruptionBudget[]): ObservedCluster['budgetOverlaps'] {
  const budgetsOf = finderOf(budgets);
  return pods.flatMap(({ namespace, name, node, labels, controller, mirror }) => {
    if (controller === 'DaemonSet' || mirror) return [];
    const matching = budgetsOf({ namespace, labels });
    return matching.length < 2 ? [] : [{ namespace, name, ...(node === undefined ? {} : { node }), budgets: matching }];
  });
}

/** Deployments and StatefulSets that want exactly one pod. */
export async function observeSingletons(kube: KubeClients, budgets: readonly V1PodDisruptionBudget[]): Promise<ObservedCluster['singletons']> {
  const budgetsOf = finderOf(budgets);
  const [deployments, statefulSets, autoscalers] = await Promise.all([
    readable(mapPages((page) => kube.apps.listDeploymentForAllNamespaces(page), singleton('Deployment', budgetsOf)), []),
    readable(mapPages((page) => kube.apps.listStatefulSetForAllNamespaces(page), singleton('StatefulSet', budgetsOf)), []),
    readable(allPages((page) => kube.make(AutoscalingV2Api).listHorizontalPodAutoscalerForAllNamespaces(page)), []),
  ]);
  return [...deployments, ...statefulSets].flatMap((found) => {
    if (found === undefined) return [];
    const autoscaler = autoscalers.find(({ metadata, spec }) => metadata?.namespace === found.namespace && spec?.scaleTargetRef.kind === found.kind && spec.scaleTargetRef.name === found.name);
    return [{ ...found, ...(autoscaler === undefined ? {} : { autoscaler: autoscaler.metadata?.name ?? '' }) }];
  });
}

function singleton(kind: 'Deployment' | 'StatefulSet', budgetsOf: ReturnType<typeof budgetFinder>) {
  return ({ metadata, spec }: V1Deployment | V1StatefulSet): ObservedCluster['singletons'][number] | undefined => {
    if ((spec?.replicas ?? 1) !== 1) return undefined;
    const namespace = metadata?.namespace ?? '';
    const template = spec?.template;
    const claims = (template?.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined);
    return { kind, namespace, name: metadata?.name ?? '', budgets: budgetsOf({ namespace, labels: template?.metadata?.labels ?? {} }), claims };
  };
}
