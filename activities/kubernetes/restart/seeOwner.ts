import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { syncFailure } from '../../../domain/kubernetes/budget.js';
import { matchesSelector } from '../../../domain/kubernetes/labelSelector.js';
import { podReady } from '../../../domain/kubernetes/resources.js';
import type { BudgetSeen, LackingPod, RestartSeen } from '../../../domain/kubernetes/restart.js';
import { needsEndpoint } from '../../../domain/kubernetes/unmanaged.js';
import type { RestartRequest } from '../../api.js';
import type { Clients } from '../../clients/index.js';
import { hasEndpoint } from '../ciliumResources.js';
import { each } from '../each.js';
import { readAgents } from '../lists.js';
import { ownPods } from './ownPods.js';
import { readOwner } from './readOwner.js';
import type { RestartMemory } from './restartMemory.js';

/** What the passes of one attempt share. */
export interface Attempt {
  memory: RestartMemory;
  /** Agents by node: read once, and again for a pod on a node that has none there. */
  agents: Map<string, V1Pod>;
}

export interface OwnerSight {
  seen: RestartSeen<V1Pod>;
  resourceVersion: string | undefined;
}

/** So long after the agent of its node became ready, a pod has been started with Cilium: clocks differ by less. */
const LATE_MS = 60_000;

/** One owner, its pods, their endpoints and budgets, in this order: each is newer than what it is compared with. Undefined: gone. */
export async function seeOwner(clients: Clients, { owner, mark }: Pick<RestartRequest, 'owner' | 'mark'>, attempt: Attempt): Promise<OwnerSight | undefined> {
  const now = await readOwner(clients, owner);
  if (now === 'gone') return undefined;
  const { workload, selector, resourceVersion } = now === 'unread' ? {} : now;
  const pods = await ownPods(clients, owner, selector);
  if (workload === undefined && pods.length === 0) return undefined;
  const lacking = await lackingOf(clients, pods, attempt);
  const budgets = lacking.length === 0 ? [] : await budgetsOf(clients, owner.namespace, pods);
  const ready = pods.filter(podReady).length;
  const without = lacking.map((pod): LackingPod<V1Pod> => ({
    pod,
    budgets: budgets.filter((budget) => selects(budget, pod)).map(({ metadata }) => metadata?.name ?? ''),
    late: isLate(pod, attempt.agents.get(pod.spec?.nodeName ?? '')),
  }));
  return {
    resourceVersion,
    seen: {
      owner,
      workload,
      mark,
      pods: { ready, unready: pods.length - ready },
      replacing: workload === undefined && attempt.memory.replacing(pods.length),
      without,
      budgets: budgets.map(figures),
      now: Date.now(),
    },
  };
}

/** Pods on nodes of Cilium that have no CiliumEndpoint. */
async function lackingOf(clients: Clients, pods: V1Pod[], attempt: Attempt): Promise<V1Pod[]> {
  const asked = await each(pods.filter(needsEndpoint), async (pod) => {
    const { namespace = '', name = '' } = pod.metadata ?? {};
    return (await hasEndpoint(clients, namespace, name)) ? [] : [pod];
  });
  const lacking = asked.flat();
  const hasAgent = ({ spec }: V1Pod): boolean => attempt.agents.has(spec?.nodeName ?? '');
  if (!lacking.every(hasAgent)) attempt.agents = (await readAgents(clients)).ciliumPods;
  return lacking.filter(hasAgent);
}

function isLate({ metadata }: V1Pod, agent: V1Pod | undefined): boolean {
  const ready = agent?.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime;
  const created = metadata?.creationTimestamp;
  return ready !== undefined && created !== undefined && created.getTime() - ready.getTime() > LATE_MS;
}

async function budgetsOf(clients: Clients, namespace: string, pods: V1Pod[]): Promise<V1PodDisruptionBudget[]> {
  const { items } = await clients.kube.policy.listNamespacedPodDisruptionBudget({ namespace });
  return items.filter((budget) => pods.some((pod) => selects(budget, pod)));
}

function selects({ spec }: V1PodDisruptionBudget, { metadata }: V1Pod): boolean {
  return matchesSelector(spec?.selector, metadata?.labels ?? {});
}

function figures({ metadata, status }: V1PodDisruptionBudget): BudgetSeen {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0, observedGeneration = 0 } = status ?? {};
  return { name: metadata?.name ?? '', currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, failed: syncFailure(status?.conditions), stale: observedGeneration < (metadata?.generation ?? 0) };
}
