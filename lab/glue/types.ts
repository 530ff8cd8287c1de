import type { KubeObject } from '../cluster/client.js';

/** An EC2 instance as the AWS stand-in tells it. */
export interface Instance {
  id: string;
  state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  group: string;
  lifecycle: string;
  zone: string;
  region: string;
  type: string;
  subnet: string;
  address: string;
  name: string;
  nodegroup: string;
  image: string;
  labels: Record<string, string>;
  taints: { key: string; value?: string; effect: string }[];
  userData: string;
}

/** Something that EKS has decided about the vpc-cni add-on and that the cluster must show. */
export interface AddonJob {
  id: string;
  addon: string;
  action: 'apply' | 'delete' | 'release';
  conflicts: 'NONE' | 'OVERWRITE' | 'PRESERVE';
  values: string;
  version: string;
  role: string;
}

export interface GroupState {
  name: string;
  min: number;
  max: number;
  desired: number;
  suspended: string[];
}

export interface AwsState {
  version: number;
  instances: Instance[];
  jobs: AddonJob[];
  groups: GroupState[];
  subnets: string[];
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export interface Node extends KubeObject {
  spec: { providerID?: string; unschedulable?: boolean; taints?: Taint[] };
  status?: { conditions?: Condition[]; addresses?: { type: string; address: string }[] };
}

export interface Pod extends KubeObject {
  spec: { nodeName?: string; hostNetwork?: boolean; containers?: { image?: string }[] };
  status?: { phase?: string; podIP?: string; conditions?: Condition[] };
}

export type Cni = 'aws' | 'cilium';
/** What gave a pod its network: `chained` is the address of the VPC CNI with an endpoint of Cilium. */
export type PodCni = Cni | 'chained';

/** What must never happen in a migration. */
export interface Violation {
  kind: 'both-agents' | 'aws-node-removed' | 'cni-swapped' | 'pod-lost-network';
  node: string;
  instance: string;
  detail: string;
  at: string;
}

export function condition(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((item) => item.type === type);
}

export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && pod.status?.phase === 'Running' && condition(pod, 'Ready')?.status === 'True';
}

export function ownedBy(pod: Pod, kind: string): boolean {
  return pod.metadata.ownerReferences?.some((owner) => owner.kind === kind) ?? false;
}

export function podPath(pod: Pod): string {
  return `/api/v1/namespaces/${pod.metadata.namespace ?? 'default'}/pods/${pod.metadata.name}`;
}

export function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? '';
}
