/** The few fields of Kubernetes objects that rules read: structural, so that rules need no client library. */
export interface Meta {
  name?: string;
  namespace?: string;
  uid?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; controller?: boolean; apiVersion?: string; uid?: string }[];
  /** Of a pod: when its grace is over. */
  deletionTimestamp?: Date;
  deletionGracePeriodSeconds?: number;
  finalizers?: string[];
  creationTimestamp?: Date;
}

export interface PodLike {
  metadata?: Meta;
  spec?: {
    nodeName?: string;
    hostNetwork?: boolean;
    priorityClassName?: string;
    priority?: number;
    volumes?: { name: string; emptyDir?: object }[];
  };
  status?: { phase?: string; podIP?: string; conditions?: { type: string; status: string }[] };
}

export interface NodeLike {
  metadata?: Meta;
  spec?: { providerID?: string; unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

/** `namespace/name`. */
export function fullName(meta: Meta | undefined): string {
  return `${meta?.namespace ?? ''}/${meta?.name ?? ''}`;
}

/** `i-…` of `aws:///eu-west-1a/i-…`; undefined where no EC2 instance stands behind the Node. */
export function instanceIdOf(node: NodeLike): string | undefined {
  return /\/(i-[0-9a-f]+)$/.exec(node.spec?.providerID ?? '')?.[1];
}

export function isReady(node: NodeLike): boolean {
  return readyCondition(node)?.status === 'True';
}

/** The condition Ready of a Node: `Unknown` means that its kubelet is silent. */
export function readyCondition(node: NodeLike): { status: string; reason?: string; message?: string } | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready');
}

export function zoneOf(node: NodeLike): string {
  const labels = node.metadata?.labels ?? {};
  return labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
}

export function podReady(pod: PodLike): boolean {
  return pod.metadata?.deletionTimestamp === undefined && (pod.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Succeeded or Failed: nothing runs any more. */
export function podFinished(pod: PodLike): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** The owner that makes the pod again. */
export function controllerOf(meta: Meta | undefined): { kind: string; name: string; apiVersion?: string; uid?: string } | undefined {
  return meta?.ownerReferences?.find((owner) => owner.controller === true);
}
