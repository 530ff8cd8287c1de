import type { V1DaemonSet, V1Deployment, V1ObjectMeta, V1PodTemplateSpec, V1ReplicaSet, V1StatefulSet } from '@kubernetes/client-node';
import type { LabelSelector } from '../../../domain/kubernetes/labelSelector.js';
import type { RestartOwner, WorkloadSeen } from '../../../domain/kubernetes/restart.js';
import { RESTARTED_BY_ANNOTATION } from '../../../domain/names.js';
import { orUndefined } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';

/** A workload as it was read. */
export interface OwnerNow {
  workload: WorkloadSeen;
  resourceVersion: string | undefined;
  selector: LabelSelector | undefined;
}

/** `gone`: deleted, or about to be. `unread`: a kind whose spec says nothing to us. */
export async function readOwner({ kube: { apps } }: Clients, { kind, ...at }: RestartOwner): Promise<OwnerNow | 'gone' | 'unread'> {
  switch (kind) {
    case 'Deployment':
      return now(await orUndefined(apps.readNamespacedDeployment(at)), ofDeployment);
    case 'StatefulSet':
      return now(await orUndefined(apps.readNamespacedStatefulSet(at)), ofStatefulSet);
    case 'DaemonSet':
      return now(await orUndefined(apps.readNamespacedDaemonSet(at)), ofDaemonSet);
    case 'ReplicaSet':
      return now(await orUndefined(apps.readNamespacedReplicaSet(at)), ofReplicaSet);
    default:
      return 'unread';
  }
}

interface Read {
  metadata?: V1ObjectMeta;
  spec?: { selector: LabelSelector; template?: V1PodTemplateSpec };
  status?: { observedGeneration?: number };
}

/** What the kinds tell each in its own words. */
type Own = Omit<WorkloadSeen, 'observed' | 'mark'>;

function now<T extends Read>(read: T | undefined, own: (read: T) => Own): OwnerNow | 'gone' {
  if (read === undefined || read.metadata?.deletionTimestamp !== undefined) return 'gone';
  const { metadata, spec, status } = read;
  const observed = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  const mark = spec?.template?.metadata?.annotations?.[RESTARTED_BY_ANNOTATION];
  return { workload: { ...own(read), observed, mark }, resourceVersion: metadata?.resourceVersion, selector: spec?.selector };
}

const DEFAULT = 'RollingUpdate';

function ofDeployment({ spec, status }: V1Deployment): Own {
  const { maxUnavailable, maxSurge } = spec?.strategy?.rollingUpdate ?? {};
  return {
    strategy: { type: spec?.strategy?.type ?? DEFAULT, maxUnavailable, maxSurge },
    paused: spec?.paused === true,
    wanted: spec?.replicas ?? 1,
    updated: status?.updatedReplicas ?? 0,
    total: status?.replicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    stalled: (status?.conditions ?? []).some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  };
}

function ofStatefulSet({ spec, status }: V1StatefulSet): Own {
  const { maxUnavailable, partition } = spec?.updateStrategy?.rollingUpdate ?? {};
  const updated = status?.updatedReplicas ?? 0;
  return {
    strategy: { type: spec?.updateStrategy?.type ?? DEFAULT, maxUnavailable, partition },
    paused: false,
    wanted: spec?.replicas ?? 1,
    updated,
    // It puts a new pod in the place of each old one: none is left over.
    total: updated,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? status?.readyReplicas ?? 0,
    stalled: false,
  };
}

function ofDaemonSet({ spec, status }: V1DaemonSet): Own {
  const { maxUnavailable, maxSurge } = spec?.updateStrategy?.rollingUpdate ?? {};
  const updated = status?.updatedNumberScheduled ?? 0;
  return {
    strategy: { type: spec?.updateStrategy?.type ?? DEFAULT, maxUnavailable, maxSurge },
    paused: false,
    wanted: status?.desiredNumberScheduled ?? 0,
    updated,
    total: updated,
    ready: status?.numberReady ?? 0,
    available: status?.numberAvailable ?? 0,
    stalled: false,
  };
}

function ofReplicaSet({ spec, status }: V1ReplicaSet): Own {
  const total = status?.replicas ?? 0;
  return {
    strategy: { type: undefined },
    paused: false,
    wanted: spec?.replicas ?? 1,
    updated: total,
    total,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    stalled: false,
  };
}
