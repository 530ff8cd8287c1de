import type { Affinity } from './kubernetes/nodeAffinity.js';
import type { NetworkPolicyMeaning } from './policy/networkPolicies.js';

/**
 * What one look at a cluster and its AWS account found. Read by hazards and by the planner; written by
 * activities/observe. Plain JSON, no client types. It stays inside one activity (preflight): only verdicts enter a
 * workflow's history, so its size does not matter there.
 */
export interface ObservedCluster {
  /** ISO 8601. */
  observedAt: string;
  kubernetes: {
    /** e.g. `v1.36.3`. */
    version: string;
    /** UID of namespace kube-system: the identity of this cluster, whatever name or kubeconfig leads to it. */
    uid: string;
    endpoint: string;
  };
  /** SelfSubjectAccessReviews that came back denied. */
  deniedAccess: { verb: string; resource: string; namespace?: string; reason?: string }[];
  aws: {
    account?: string;
    arn?: string;
    region: string;
    /** One entry an AWS action that the migration will use. */
    actions: { action: string; verdict: 'allowed' | 'denied' | 'unproven'; how: string }[];
  };
  /** Null where the cluster was given by kubeconfig and no EKS cluster could be matched to its endpoint. */
  eks: {
    name: string;
    version: string;
    ipFamily: 'ipv4' | 'ipv6';
    autoMode: boolean;
    vpcId?: string;
    status: string;
    updatesInProgress: string[];
    nodegroups: { name: string; labels: Record<string, string>; taints: Taint[]; autoScalingGroups: string[]; status: string }[];
  } | null;
  nodes: ObservedNode[];
  groups: ObservedGroup[];
  /** NodePools of Karpenter's API v1, without those of Auto Mode. */
  nodePools: ObservedNodePool[];
  awsNode: ObservedAwsNode | null;
  cilium: ObservedCilium | null;
  /** Pods that matter for hazards; ordinary pods are only counted. */
  pods: {
    total: number;
    hostPort: PodName[];
    bare: PodName[];
    emptyDir: PodName[];
    podEni: PodName[];
    /** Outside the namespaces of Kubernetes and of EKS add-ons, and of no DaemonSet. */
    user: PodName[];
  };
  pdbs: ObservedBudget[];
  /** Pods that more than one PodDisruptionBudget counts. */
  budgetOverlaps: (PodName & { budgets: string[] })[];
  /** Deployments and StatefulSets that want one pod; `budgets` are PodDisruptionBudgets of its namespace that count it. */
  singletons: { kind: 'Deployment' | 'StatefulSet'; namespace: string; name: string; budgets: string[]; autoscaler?: string; claims: boolean }[];
  networkPolicies: { namespace: string; name: string }[];
  /** What each of them means under Cilium; those that will begin to have an effect come first. */
  policyMeanings: NetworkPolicyMeaning[];
  securityGroupPolicies: { namespace: string; name: string }[];
  eniConfigs: string[];
  subnets: { id: string; zone: string; availableIps: number; cidr: string; route: 'internet-gateway' | 'nat' | 'none' | 'other' }[];
  instanceTypes: Record<string, { maxEnis: number; ipv4PerEni: number }>;
  clusterAutoscaler: boolean;
  karpenter: boolean;
  /** Other network agents found as DaemonSets (`calico-node`, `weave-net` …), `namespace/name`. */
  otherNetworkAgents: string[];
  /** Admission webhooks that fail closed. */
  failClosedWebhooks: FailClosedWebhook[];
  /** Network interfaces of the VPC CNI that no instance holds any more; they keep their addresses until they are deleted. */
  leftoverEnis: string[];
  /** Whether the worker that looked runs as a pod of this very cluster; null where it cannot tell. */
  workerInside: boolean | null;
  /** EC2 rights of the role that cilium-operator will use; `unproven` where the role or simulation is out of reach. */
  operatorRights: { role?: string; missing: string[]; verdict: 'allowed' | 'denied' | 'unproven'; how: string };
  helm: { version: string } | null;
  /** Probes of the spec that would not hold if they began now, as this process sees it. */
  probes: { object: string; reason: string }[];
  lease: ObservedLease | null;
}

export interface ObservedBudget {
  namespace: string;
  name: string;
  expectedPods: number;
  currentHealthy: number;
  desiredHealthy: number;
  disruptionsAllowed: number;
  /** `minAvailable: 2`, `maxUnavailable: 0`. */
  rule?: string;
  /** Why its controller cannot work it out (reason and message of its condition); its figures say nothing then. */
  failed?: string;
}

export interface FailClosedWebhook {
  name: string;
  /** `namespace/name`; absent where it is called by URL. */
  service?: string;
  /** It is asked before a pod is created. */
  guardsPods: boolean;
  /** Of its Service; null: not in the cluster, or not to be read. */
  readyEndpoints: number | null;
  /** The pod that is its last ready backend: no drain evicts it. `stays`: no drain asks for it either (DaemonSet, static pod). */
  last?: PodName & { stays: boolean; deployment?: string };
}

/** The Lease of ciliate in kube-system, where somebody holds it. */
export interface ObservedLease {
  holder: string;
  renewTime?: string;
  /**
   * `ours`: this very workflow. `same-temporal`: same Temporal cluster and namespace, so the worker can tell whether its run is
   * closed. `other`: yields only to `ciliate release`. `unknown`: whoever looks has no holder of its own (the dry run).
   */
  whose: 'ours' | 'same-temporal' | 'other' | 'unknown';
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export interface PodName {
  namespace: string;
  name: string;
  node?: string;
}

/** Which CNI agent runs on a node: decided by pods, not by labels. */
export type NodeCni = 'aws' | 'cilium' | 'both' | 'none';

export interface ObservedNode {
  name: string;
  uid: string;
  /** `i-…` of spec.providerID; absent where the node has no instance behind it. */
  instanceId?: string;
  zone?: string;
  instanceType?: string;
  /** EC2's state of the instance (`running`, `shutting-down`, `terminated` …); `unknown` where EC2 answers and knows no such instance. */
  instanceState?: string;
  /** A pod of cilium-operator is bound here. */
  hostsOperator: boolean;
  /** Pool that replaces it (NodeRef.group), whatever kind that is; absent where nothing does. */
  group?: string;
  /** How that pool's driver ends it, for people; absent: its instance is terminated in the Auto Scaling group of that name. */
  ends?: string;
  created: string;
  ready: boolean;
  unschedulable: boolean;
  labels: Record<string, string>;
  taints: Taint[];
  cni: NodeCni;
  hasCiliumNode: boolean;
  osImage: string;
  os: string;
  maxPods: number;
  /** Pods on it; of those that would move (no DaemonSet, no static pod): addresses, milli-CPUs and bytes asked for. `allocatable`: what the kubelet offers. */
  load: { pods: number; addresses: number; cpu: number; memory: number };
  allocatable: { cpu: number; memory: number };
  internalIp?: string;
  /** Left out and reported: it keeps its own networking (domain/kubernetes/leftOut.ts), or is marked as of this kind of pool and in none (`karpenter`: without a NodeClaim of API v1). */
  leftOut?: string;
  /** `refresh.leaveAlone` selects it. Nothing that was seen: a plan marks them first of all (markLeftAlone). */
  leftAlone?: true;
}

export interface ObservedGroup {
  name: string;
  minSize: number;
  maxSize: number;
  desiredCapacity: number;
  zones: string[];
  subnets: string[];
  suspendedProcesses: string[];
  instances: { id: string; zone: string; lifecycle: string; healthy: boolean; protected: boolean }[];
  instanceRefreshes: string[];
  /** Name of the EKS managed node group that owns the group. */
  nodegroup?: string;
  /** Labels that the group gives its nodes (managed node group or launch template), where they can be read. */
  nodeLabels?: Record<string, string>;
}

export interface ObservedNodePool {
  name: string;
  /** Of its template: what new nodes get. */
  labels: Record<string, string>;
  taints: Taint[];
  startupTaints: Taint[];
  /** `Never`, or a duration like `720h`. */
  expireAfter: string;
}

export interface ObservedAwsNode {
  managedBy: 'addon' | 'self-managed';
  addon?: { version: string; status: string; configurationValues?: string; serviceAccountRoleArn?: string; schemaHasAffinity: boolean | null };
  image: string;
  env: Record<string, string>;
  /** aws-network-policy-agent is there and switched on. */
  enforcesNetworkPolicy: boolean;
  desired: number;
  ready: number;
  /** Every required nodeSelectorTerm holds `cni-plugin In [aws]`. */
  restricted: boolean;
  /** spec.template.spec.affinity as it is now; null where there is none. */
  affinity: Affinity | null;
  /** Field managers of the DaemonSet (`eks`, `argocd-controller`, `Terraform` …). */
  fieldManagers: string[];
}

export interface ObservedCilium {
  /** The Helm release, null where Cilium is there without one. */
  release: { chartVersion: string; revision: number; status: string; ours: boolean } | null;
  agentsDesired: number;
  agentsReady: number;
  operatorReady: number;
  /** What the ConfigMap cilium-config says now; null where it is not there or does not say. */
  config: { masquerade: boolean | null; masqueradeInterfaces?: string; prefixDelegation: boolean | null; /** `aws-cni`, `portmap`, `none`; null: it does not say. */ chainingMode?: string | null; /** `enable-policy`. */ policyMode?: string } | null;
}
