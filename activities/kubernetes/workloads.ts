import type { V1Pod } from '@kubernetes/client-node';
import { controllerOf, podFinished, podReady } from '../../domain/kubernetes/resources.js';
import type { Blocker, WorkloadReady } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look, waitedMs } from '../look.js';
import { replicaSetOwner } from './owner.js';
import { podCounts } from './podCounts.js';

/** One workload as it is now. */
export interface WorkloadNow extends WorkloadReady {
  /** Replicas that it wants now. */
  wanted: number;
}

type WorkloadName = Pick<WorkloadReady, 'kind' | 'namespace' | 'name'>;

/** Their pods do not come back elsewhere as the same number. */
const UNCOUNTED = new Set(['Job', 'DaemonSet', 'Node']);
/** What a controller wants whose API nobody here knows cannot be read: it may have been scaled down meanwhile. */
const UNKNOWN_MS = 600_000;
/** … and where nothing of it is left at all. */
const NONE_MS = 1_800_000;

/**
 * Workloads that make these pods: through the ReplicaSet to its Deployment; of a controller of another kind (an operator's) the pods
 * that it has are counted. Jobs, DaemonSets and bare pods are none.
 */
export async function workloadsOf(clients: Clients, pods: V1Pod[]): Promise<WorkloadNow[]> {
  const names = new Map<string, WorkloadName & { uid?: string }>();
  const others = new Map<string, WorkloadName & { uid: string }>();
  for (const pod of pods) {
    const owner = controllerOf(pod.metadata);
    const namespace = pod.metadata?.namespace ?? '';
    if (owner === undefined) continue;
    const { kind, name, uid } = owner;
    if (kind === 'ReplicaSet' || kind === 'StatefulSet') names.set(`${kind}/${namespace}/${name}`, { kind, namespace, name, ...(uid === undefined ? {} : { uid }) });
    else if (uid !== undefined && !UNCOUNTED.has(kind) && serves(pod)) others.set(uid, { kind, namespace, name, uid });
  }
  const counts = await podCounts(clients, [...others.values()].map(({ namespace }) => namespace));
  const counted = [...others.values()].map((other): WorkloadNow => ({ ...other, ready: counts.get(other.uid)?.ready ?? 0, wanted: counts.get(other.uid)?.all ?? 0 }));
  const found = await Promise.all([...names.values()].map(async (name) => readWorkload(clients, await rootOf(clients, name))));
  return [...new Map(found.filter((workload) => workload !== undefined).map((workload) => [`${workload.kind}/${workload.namespace}/${workload.name}`, workload])).values(), ...counted];
}

/** What is not started again where it ends is a run (of a workflow, of a build), and need not come back. */
function serves(pod: V1Pod): boolean {
  return (pod.spec?.restartPolicy ?? 'Always') === 'Always' && !podFinished(pod);
}

/** The Deployment of a ReplicaSet; the ReplicaSet itself where something else (a Rollout) made it. */
async function rootOf(clients: Clients, { uid, ...workload }: WorkloadName & { uid?: string }): Promise<WorkloadName> {
  if (workload.kind !== 'ReplicaSet') return workload;
  const owner = await replicaSetOwner(clients, { ...workload, uid });
  return owner?.kind === 'Deployment' ? { kind: 'Deployment', namespace: workload.namespace, name: owner.name } : workload;
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
export function lookWorkloads(clients: Clients, workloads: WorkloadReady[], known: string): Promise<Look & { notes: string[] }> {
  // Those that were short when last looked at: with fifty nodes in flight most of what becomes ready belongs to others.
  let short = workloads;
  const matters = (event: ClusterEvent): boolean => event.kind === 'Pod' && podReady(event.object) && short.some((workload) => madeBy(workload, event.object));
  return linger(clients, matters, async () => {
    const some = await shortOf(clients, short);
    // The last word is about all of them.
    const found = awaited(some).length === 0 && short.length < workloads.length ? await shortOf(clients, workloads) : some;
    const left = awaited(found);
    if (left.length > 0) short = left.map(({ workload }) => workload);
    const blockers = left.map(({ blocker }) => blocker);
    const notes = found.flatMap(({ letGo }) => letGo ?? []);
    return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map((blocker) => blocker.object), extra: { notes } });
  });
}

/** Whether a workload made this pod; a Deployment by way of a ReplicaSet that is called after it. */
export function madeBy({ kind, namespace, name }: WorkloadName, pod: V1Pod): boolean {
  const owner = controllerOf(pod.metadata);
  if (owner === undefined || pod.metadata?.namespace !== namespace) return false;
  return kind === 'Deployment' ? owner.kind === 'ReplicaSet' && owner.name.replace(/-[^-]*$/, '') === name : owner.kind === kind && owner.name === name;
}

interface Short {
  workload: WorkloadReady;
  blocker: Blocker;
  /** Why it is not awaited any longer. */
  letGo?: string;
}

function awaited(short: Short[]): Short[] {
  return short.filter(({ letGo }) => letGo === undefined);
}

async function shortOf(clients: Clients, workloads: WorkloadReady[]): Promise<Short[]> {
  const counts = await podCounts(clients, workloads.flatMap(({ uid, namespace }) => (uid === undefined ? [] : [namespace])));
  const seen = await Promise.all(
    workloads.map(async (before) => {
      if (before.uid === undefined) return { before, now: await readWorkload(clients, before), all: undefined };
      const { ready, all } = counts.get(before.uid) ?? { ready: 0, all: 0 };
      return { before, now: { ready, wanted: before.ready }, all };
    }),
  );
  return seen.flatMap(({ before, now, all }) => {
    if (now === undefined) return [];
    const expected = Math.min(before.ready, now.wanted);
    if (now.ready >= expected) return [];
    const { kind, namespace, name } = before;
    const blocker: Blocker = {
      object: `${kind} ${namespace}/${name}`,
      reason: `${now.ready} of ${expected} replicas are ready`,
      todo: `It had ${before.ready} before the node was drained: kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
    };
    // Where none is pending none seems to be wanted; where there is none at all its object may be gone, or its operator be slow.
    if (all === undefined || all > now.ready || waitedMs() <= (all === 0 ? NONE_MS : UNKNOWN_MS)) return [{ workload: before, blocker }];
    return [{ workload: before, blocker, letGo: `${blocker.object} had ${before.ready} ready pods before its node was drained and has ${now.ready} now, all that there are: it was not awaited any longer` }];
  });
}
