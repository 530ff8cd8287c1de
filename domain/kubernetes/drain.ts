import type { Blocker } from '../refresh.js';
import type { DrainSpec } from '../spec/schema.js';
import { whyUncountable } from './budget.js';
import type { Countable } from './budget.js';
import { controllerOf, fullName, podFinished } from './resources.js';
import type { PodLike } from './resources.js';

/** Set by the kubelet on pods that it runs from files: they cannot be evicted. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** What a drain does with one pod. `leave` is never evicted, `block` only after a person changed something. */
export type DrainVerdict = { act: 'leave'; why: string } | { act: 'evict'; tier: number } | { act: 'block'; reason: string; todo: string };

/** Ordinary pods go first, then those without which others do not run, cilium-operator last of all. */
export const TIERS = { ordinary: 0, critical: 1, operator: 2 } as const;

/**
 * The rule of one pod, as kubectl drain's filters (k8s.io/kubectl/pkg/drain/filters.go): DaemonSet, mirror and finished
 * pods are left; emptyDir and bare pods as `drain` says.
 */
export function drainVerdict(pod: PodLike, drain: Pick<DrainSpec, 'emptyDir' | 'barePods'>): DrainVerdict {
  const controller = controllerOf(pod.metadata);
  if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) return { act: 'leave', why: 'mirror pod' };
  if (controller?.kind === 'DaemonSet') return { act: 'leave', why: 'DaemonSet pod' };
  // Finished pods hold nothing: kubectl drain deletes them; their Node takes them along.
  if (podFinished(pod)) return { act: 'leave', why: 'finished' };
  // What is on its way out already needs no leave.
  if (pod.metadata?.deletionTimestamp !== undefined) return { act: 'evict', tier: tierOf(pod) };
  if (controller === undefined && drain.barePods === 'block') {
    return {
      act: 'block',
      reason: 'it has no controller: evicted, it is gone for good',
      todo: `Delete it (kubectl -n ${pod.metadata?.namespace} delete pod ${pod.metadata?.name}), or allow it: ciliate set CLUSTER drain.barePods=evict`,
    };
  }
  if (drain.emptyDir === 'block' && (pod.spec?.volumes ?? []).some((volume) => volume.emptyDir !== undefined)) {
    return {
      act: 'block',
      reason: 'it has an emptyDir volume, whose content an eviction loses',
      todo: `Save what it holds and delete it (kubectl -n ${pod.metadata?.namespace} delete pod ${pod.metadata?.name}), or allow it: ciliate set CLUSTER drain.emptyDir=evict`,
    };
  }
  return { act: 'evict', tier: tierOf(pod) };
}

function tierOf(pod: PodLike): number {
  const labels = pod.metadata?.labels ?? {};
  if (labels['io.cilium/app'] === 'operator' || labels['name'] === 'cilium-operator') return TIERS.operator;
  if (pod.spec?.priorityClassName?.startsWith('system-') === true) return TIERS.critical;
  return TIERS.ordinary;
}

/** Stable order of eviction: by tier, then by name. */
export function evictionOrder<T extends { pod: PodLike; tier: number }>(pods: T[]): T[] {
  return [...pods].sort((a, b) => a.tier - b.tier || (fullName(a.pod.metadata) < fullName(b.pod.metadata) ? -1 : 1));
}

export interface BudgetLike extends Countable {
  name: string;
  desiredHealthy: number;
  disruptionsAllowed: number;
}

/** Why a PodDisruptionBudget refuses, in the words of Cluster API's drain, and what would free it. */
export function budgetBlocker(pod: PodLike, owner: string, budget: BudgetLike): { reason: string; todo: string; firm?: boolean } {
  const namespace = pod.metadata?.namespace ?? '';
  const uncountable = whyUncountable(budget);
  if (uncountable !== undefined) {
    return {
      reason: `PDB ${namespace}/${budget.name} cannot be counted: ${uncountable} (owner ${owner})`,
      todo: `It never allows an eviction: give PDB ${namespace}/${budget.name} a minAvailable that is a whole number, or let it select only pods whose controllers can be scaled`,
      firm: true,
    };
  }
  const reason = `PDB ${namespace}/${budget.name} needs ${budget.desiredHealthy} healthy, has ${budget.currentHealthy} (owner ${owner})`;
  if (budget.expectedPods <= budget.desiredHealthy) {
    return { reason, todo: `It never allows an eviction with ${budget.expectedPods} pods: scale ${owner} up, or lower minAvailable of PDB ${namespace}/${budget.name}`, firm: true };
  }
  const missing = budget.desiredHealthy + 1 - budget.currentHealthy;
  return { reason, todo: missing > 0 ? `Free once ${missing} more of its pods ${missing === 1 ? 'is' : 'are'} Ready: kubectl -n ${namespace} get pods` : 'Free at the next try' };
}

/** A pod may take so long past its grace: its volumes are unmounted, and the kubelet tells of its end. */
const OVERSTAY_MS = 60_000;

/** When a pod should have ended that is still there at `at` (epoch milliseconds); undefined while it may still. */
export function overstays(pod: PodLike, at: number): Date | undefined {
  const due = pod.metadata?.deletionTimestamp;
  return due === undefined || at - due.getTime() <= OVERSTAY_MS ? undefined : due;
}

/**
 * What to say of a pod that should have ended by `due`. Times are points, not ages (docs/adr/0003). Nothing is done about it: to delete it
 * once more, without grace, only takes it out of the API server's sight, running or not.
 */
export function overstayBlocker(pod: PodLike, owner: string, due: Date): Blocker {
  const { namespace, name, deletionGracePeriodSeconds: grace = 0, finalizers = [] } = pod.metadata ?? {};
  const asked = new Date(due.getTime() - grace * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  const held = finalizers.length === 0 ? '' : `; finalizers ${finalizers.join(', ')} hold it`;
  const kubectl = `kubectl -n ${namespace}`;
  const todo =
    finalizers.length > 0
      ? `Whoever set the finalizers has to take them away: ${kubectl} get pod ${name} -o yaml`
      : `Its kubelet has not ended it: ${kubectl} describe pod ${name} (a volume that stays mounted, a process that does not die); once nothing of it runs: ${kubectl} delete pod ${name} --force --grace-period=0`;
  return { object: `Pod ${fullName(pod.metadata)}`, reason: `it was told to end at ${asked}, its grace of ${grace} s is over, and it is still there (owner ${owner})${held}`, todo, firm: true, since: due.toISOString() };
}
