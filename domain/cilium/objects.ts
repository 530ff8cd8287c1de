import type { Affinity } from '../kubernetes/nodeAffinity.js';

/** A rendered Kubernetes object: what is read of it here, the rest untyped. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: unknown;
  data?: Record<string, string>;
  [key: string]: unknown;
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

export interface Container {
  name: string;
  image?: string;
  args?: string[];
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: { name?: string } } }[];
}

export interface PodSpec {
  hostNetwork?: boolean;
  nodeName?: string;
  affinity?: Affinity;
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
  containers?: Container[];
  initContainers?: Container[];
}

/** An object that makes pods, with the pod template found in it. */
export interface Workload {
  object: KubeObject;
  kind: string;
  name: string;
  replicas: number | undefined;
  updateType: string | undefined;
  annotations: Record<string, string>;
  pod: PodSpec;
}

interface WorkloadSpec {
  replicas?: number;
  updateStrategy?: { type?: string };
  template?: { metadata?: { annotations?: Record<string, string> }; spec?: PodSpec };
  jobTemplate?: { spec?: WorkloadSpec };
}

/** Kinds that make pods; a kind that is not here and has `spec.template.spec.containers` counts as one too. */
const POD_KINDS = ['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob', 'Pod'];

/** `Kind namespace/name`, as findings name it. */
export function objectName(object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Every object that makes pods. */
export function workloads(objects: KubeObject[]): Workload[] {
  return objects.flatMap((object) => {
    const spec = specOf(object);
    const pod = spec.template?.spec;
    if (pod === undefined) return POD_KINDS.includes(object.kind) ? [workload(object, spec, {})] : [];
    return [workload(object, spec, pod)];
  });
}

function specOf(object: KubeObject): WorkloadSpec {
  const spec = (object.spec ?? {}) as WorkloadSpec;
  if (object.kind === 'Pod') return { template: { metadata: { annotations: object.metadata.annotations ?? {} }, spec: spec as PodSpec } };
  if (object.kind === 'CronJob') return spec.jobTemplate?.spec ?? {};
  return spec;
}

function workload(object: KubeObject, spec: WorkloadSpec, pod: PodSpec): Workload {
  return {
    object,
    kind: object.kind,
    name: object.metadata.name,
    replicas: spec.replicas,
    updateType: spec.updateStrategy?.type,
    annotations: spec.template?.metadata?.annotations ?? {},
    pod,
  };
}
