import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { podFinished, podReady } from '../../../domain/kubernetes/resources.js';
import { isServer, OLD_NODE, PART_LABEL, PARTS } from './jobs.js';
import type { Part } from './jobs.js';
import type { Clients } from '../../clients/index.js';
import { probeSelector } from './jobs.js';

/** The Jobs of a node's probe as they stand, each with its pod. */
export interface Attempt {
  jobs: Map<Part, V1Job>;
  pods: Map<Part, V1Pod>;
  /** Of the Jobs; null where none was left. */
  oldNode: string | null;
}

/** Reads the attempt that is under way; undefined where there is none. Two lists in one namespace, by label. */
export async function readAttempt(clients: Clients, namespace: string, uid: string): Promise<Attempt | undefined> {
  const labelSelector = probeSelector(uid);
  const { items } = await clients.kube.batch.listNamespacedJob({ namespace, labelSelector });
  const jobs = new Map(items.flatMap((job) => (job.metadata?.deletionTimestamp === undefined ? partOf(job, job) : [])));
  const [first] = jobs.values();
  if (first === undefined) return undefined;
  const pods = await clients.kube.core.listNamespacedPod({ namespace, labelSelector });
  // A pod of an earlier Job of that name may still be going.
  const owned = pods.items.filter(({ metadata }) => items.some((job) => metadata?.ownerReferences?.some(({ uid: owner }) => owner === job.metadata?.uid)));
  return { jobs, pods: new Map(owned.flatMap((pod) => partOf(pod, pod))), oldNode: first.metadata?.annotations?.[OLD_NODE] || null };
}

/** Parts that an attempt has: without an old node nobody is asked and nobody serves. */
export function partsOf(oldNode: string | null): Part[] {
  return oldNode === null ? ['ask-new'] : [...PARTS];
}

/** The last words of a pod that has ended: its termination message. */
export function lastWords(pod: V1Pod | undefined): string | undefined {
  if (pod === undefined || !podFinished(pod)) return undefined;
  return pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '';
}

/** When a Job came to its end, in milliseconds, and how; undefined while it runs. */
export function endOf(job: V1Job | undefined): { at: number; how: string } | undefined {
  const end = job?.status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'));
  if (end === undefined) return undefined;
  return { at: end.lastTransitionTime?.getTime() ?? 0, how: [end.type, end.reason, end.message].filter(Boolean).join(': ') };
}

/** Address of a server that is ready. */
export function addressOf(pod: V1Pod | undefined): string | undefined {
  return pod !== undefined && podReady(pod) && pod.status?.phase === 'Running' ? pod.status.podIP : undefined;
}

/** What the parts that have not come as far as they should wait for: the scheduler's words, or the kubelet's. */
export function waitsFor({ jobs, pods }: Attempt): string {
  for (const part of jobs.keys()) {
    const pod = pods.get(part);
    const name = pod?.metadata?.name ?? jobs.get(part)?.metadata?.name ?? part;
    if (pod === undefined) return `${name} has no pod yet`;
    if (lastWords(pod) !== undefined || (isServer(part) && addressOf(pod) !== undefined)) continue;
    const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
    const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    const why = waiting?.message ?? waiting?.reason ?? unscheduled?.message;
    return `pod ${name} is ${pod.status?.phase ?? 'Pending'}${why === undefined ? '' : `: ${why}`}`;
  }
  return 'its pods have just begun';
}

function partOf<T>({ metadata }: { metadata?: { labels?: Record<string, string> } }, object: T): [Part, T][] {
  const part = PARTS.find((candidate) => candidate === metadata?.labels?.[PART_LABEL]);
  return part === undefined ? [] : [[part, object]];
}
