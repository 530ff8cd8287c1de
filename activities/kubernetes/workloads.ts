import type { V1Pod } from '@kubernetes/client-node';
import { controllerOf, podReady } from '../../domain/kubernetes/resources.js';
import type { Blocker, WorkloadReady } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look } from '../look.js';

/** One workload as it is now. */
export interface WorkloadNow extends WorkloadReady {
  /** Replicas that it wants now. */
  wanted: number;
}

type WorkloadName = Pick<WorkloadReady, 'kind' | 'namespace' | 'name'>;

/** Workloads that make these pods: through the ReplicaSet to its Deployment. Jobs, DaemonSets and bare pods are none. */
export async function workloadsOf(clients: Clients, pods: V1Pod[]): Promise<WorkloadNow[]> {
  const names = new Map<string, WorkloadName>();
  for (const pod of pods) {
    const owner = controllerOf(pod.metadata);
    const namespace = pod.metadata?.namespace ?? '';
    if (owner === undefined || (owner.kind !== 'ReplicaSet' && owner.kind !== 'StatefulSet')) continue;
    names.set(`${owner.kind}/${namespace}/${owner.name}`, { kind: owner.kind, namespace, name: owner.name });
  }
  const found = await Promise.all([...names.values()].map(async (name) => readWorkload(clients, await rootOf(clients, name))));
  return [...new Map(found.filter((workload) => workload !== undefined).map((workload) => [`${workload.kind}/${workload.namespace}/${workload.name}`, workload])).values()];
}

/** The Deployment of a ReplicaSet; the ReplicaSet itself where something else (a Rollout) made it. */
async function rootOf(clients: Clients, workload: WorkloadName): Promise<WorkloadName> {
  if (workload.kind !== 'ReplicaSet') return workload;
  const { namespace, name } = workload;
  const replicaSet = await orUndefined(clients.kube.apps.readNamespacedReplicaSet({ namespace, name }));
  const owner = controllerOf(replicaSet?.metadata);
  return owner?.kind === 'Deployment' ? { kind: 'Deployment', namespace, name: owner.name } : workload;
}

/** Undefined where it is gone. */
export async function readWorkload(clients: Clients, { kind, namespace, name }: WorkloadName): Promise<WorkloadNow | undefined> {
  const { apps } = clients.kube;
  const read = async () => {
    switch (kind) {
      case 'Deployment':
        return orUndefined(apps.readNamespacedDeployment({ namespace, name }));
      case 'StatefulSet':
        return orUndefined(apps.readNamespacedStatefulSet({ namespace, name }));
      default:
        return orUndefined(apps.readNamespacedReplicaSet({ namespace, name }));
    }
  };
  const found = await read();
  return found && { kind, namespace, name, ready: found.status?.readyReplicas ?? 0, wanted: found.spec?.replicas ?? 1 };
}

/** Done when every workload has its ready count back, or all that it wants by now. */
export function lookWorkloads(clients: Clients, workloads: WorkloadReady[], known: string): Promise<Look> {
  // Those that were short when last looked at: with fifty nodes in flight most of what becomes ready belongs to others.
  let short = workloads;
  const matters = (event: ClusterEvent): boolean => event.kind === 'Pod' && podReady(event.object) && short.some((workload) => madeBy(workload, event.object));
  return linger(clients, matters, async () => {
    const some = await shortOf(clients, short);
    // The last word is about all of them.
    const found = some.length === 0 && short.length < workloads.length ? await shortOf(clients, workloads) : some;
    if (found.length > 0) short = found.map(({ workload }) => workload);
    const blockers = found.map(({ blocker }) => blocker);
    return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map((blocker) => blocker.object), extra: {} });
  });
}

/** Whether a workload made this pod; a Deployment by way of a ReplicaSet that is called after it. */
export function madeBy({ kind, namespace, name }: WorkloadName, pod: V1Pod): boolean {
  const owner = controllerOf(pod.metadata);
  if (owner === undefined || pod.metadata?.namespace !== namespace) return false;
  return kind === 'Deployment' ? owner.kind === 'ReplicaSet' && owner.name.replace(/-[^-]*$/, '') === name : owner.kind === kind && owner.name === name;
}

async function shortOf(clients: Clients, workloads: WorkloadReady[]): Promise<{ workload: WorkloadReady; blocker: Blocker }[]> {
  const seen = await Promise.all(workloads.map(async (before) => ({ before, now: await readWorkload(clients, before) })));
  return seen.flatMap(({ before, now }) => {
    if (now === undefined) return [];
    const expected = Math.min(before.ready, now.wanted);
    if (now.ready >= expected) return [];
    const { kind, namespace, name } = before;
    const blocker: Blocker = {
      object: `${kind} ${namespace}/${name}`,
      reason: `${now.ready} of ${expected} replicas are ready`,
      todo: `It had ${before.ready} before the node was drained: kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
    };
    return [{ workload: before, blocker }];
  });
}
