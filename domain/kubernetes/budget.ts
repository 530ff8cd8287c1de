import { grouped } from '../grouped.js';
import { selectorIndex } from './labelSelector.js';
import type { LabelSelector } from './labelSelector.js';

/** A PodDisruptionBudget's status, as far as it says whether its pods can be counted. */
export interface Countable {
  expectedPods: number;
  currentHealthy: number;
  /** See {@link syncFailure}. */
  failed?: string;
}

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

/**
 * What its controller says where it fails to work the budget out: the other figures are then zero or of before.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/controller/disruption/disruption.go#L978
 */
export function syncFailure(conditions: readonly Condition[] | undefined): string | undefined {
  const failed = conditions?.find(({ type, status, reason }) => type === 'DisruptionAllowed' && status === 'False' && reason === 'SyncFailed');
  return failed && `${failed.reason}: ${failed.message}`;
}

/**
 * Why nobody knows how many pods there should be; no eviction is allowed meanwhile. A percentage or maxUnavailable asks the pods'
 * controllers for their scale: some have none, and bare pods have no controller.
 */
export function whyUncountable({ failed, expectedPods, currentHealthy }: Countable): string | undefined {
  return failed ?? (expectedPods === 0 && currentHealthy > 0 ? 'its pods have no controller that says how many there should be' : undefined);
}

/** Names of the budgets that count a pod, in order: of thousands of pods and a thousand budgets none is tried with each. */
export function budgetFinder(budgets: readonly { namespace: string; name: string; selector: LabelSelector | undefined }[]): (pod: { namespace: string; labels: Readonly<Record<string, string>> }) => string[] {
  const matching = new Map([...grouped(budgets, ({ namespace }) => namespace)].map(([namespace, some]) => [namespace, selectorIndex(some, ({ selector }) => selector)]));
  return ({ namespace, labels }) => (matching.get(namespace)?.(labels) ?? []).map(({ name }) => name).sort();
}
