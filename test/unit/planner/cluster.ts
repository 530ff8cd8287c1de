import { manifestSchema } from '../../../domain/spec/schema.js';
import type { Manifest, ManifestInput } from '../../../domain/spec/schema.js';
import type { ObservedAwsNode, ObservedCluster, ObservedGroup, ObservedNode } from '../../../domain/observation.js';

/** A cluster with nothing wrong: the findings of a test are then the test's own. */
export function cluster(over: Partial<ObservedCluster> = {}): ObservedCluster {
  const nodes = over.nodes ?? [node(1), node(2), node(3)];
  return {
    observedAt: '2026-11-22T23:00:00Z',
    kubernetes: { version: 'v1.36.3', uid: 'kube-system-uid', endpoint: 'https://cluster' },
    deniedAccess: [],
    aws: { account: '111122223333', arn: 'arn:aws:iam::111122223333:role/ciliate', region: 'eu-west-1', actions: [] },
    eks: { name: 'prod', version: '1.36', ipFamily: 'ipv4', autoMode: false, vpcId: 'vpc-1', status: 'ACTIVE', updatesInProgress: [], nodegroups: [] },
    nodes,
    groups: [group(nodes)],
    nodePools: [],
    awsNode: awsNode(),
    cilium: null,
    pods: { total: 20, hostPort: [], bare: [], emptyDir: [], podEni: [], user: [] },
    pdbs: [],
    budgetOverlaps: [],
    singletons: [],
    networkPolicies: [],
    policyMeanings: [],
    securityGroupPolicies: [],
    eniConfigs: [],
    subnets: ['a', 'b', 'c'].map((zone) => ({ id: `subnet-${zone}`, zone: `eu-west-1${zone}`, availableIps: 1000, cidr: '10.0.0.0/20', route: 'nat' })),
    instanceTypes: { 'm5.large': { maxEnis: 3, ipv4PerEni: 10 } },
    clusterAutoscaler: false,
    karpenter: false,
    otherNetworkAgents: [],
    failClosedWebhooks: [],
    probes: [],
    leftoverEnis: [],
    workerInside: false,
    operatorRights: { role: 'arn:aws:iam::111122223333:role/node', missing: [], verdict: 'allowed', how: 'simulated' },
    helm: { version: 'v3.19.0' },
    lease: null,
    ...over,
  };
}

export function node(index: number, over: Partial<ObservedNode> = {}): ObservedNode {
  return {
    name: `ip-10-0-0-${index}`,
    uid: `uid-${index}`,
    instanceId: `i-${index}`,
    zone: `eu-west-1${'abc'[index % 3] ?? 'a'}`,
    instanceType: 'm5.large',
    instanceState: 'running',
    hostsOperator: false,
    group: 'workers',
    created: '2026-11-01T00:00:00Z',
    ready: true,
    unschedulable: false,
    labels: {},
    taints: [],
    cni: 'aws',
    hasCiliumNode: false,
    osImage: 'Amazon Linux 2',
    os: 'linux',
    maxPods: 29,
    load: { pods: 6, addresses: 4, cpu: 500, memory: 2 ** 29 },
    allocatable: { cpu: 2000, memory: 2 ** 33 },
    internalIp: `10.0.0.${index}`,
    ...over,
  };
}

export function group(nodes: ObservedNode[], over: Partial<ObservedGroup> = {}): ObservedGroup {
  return {
    name: 'workers',
    minSize: 1,
    maxSize: 10,
    desiredCapacity: nodes.length,
    zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
    subnets: ['subnet-a', 'subnet-b', 'subnet-c'],
    suspendedProcesses: [],
    instances: nodes.map((each) => ({ id: each.instanceId ?? '', zone: each.zone ?? '', lifecycle: 'InService', healthy: true, protected: false })),
    instanceRefreshes: [],
    ...over,
  };
}

export function awsNode(over: Partial<ObservedAwsNode> = {}): ObservedAwsNode {
  return {
    managedBy: 'self-managed',
    image: 'amazon-k8s-cni:v1.20.0',
    env: {},
    enforcesNetworkPolicy: false,
    desired: 3,
    ready: 3,
    restricted: false,
    affinity: null,
    fieldManagers: ['kubectl-client-side-apply'],
    ...over,
  };
}

/** Cilium of ours, installed and well. */
export const OUR_CILIUM: NonNullable<ObservedCluster['cilium']> = {
  release: { chartVersion: '1.20.0', revision: 1, status: 'deployed', ours: true },
  agentsDesired: 0,
  agentsReady: 0,
  operatorReady: 2,
  config: { masquerade: true, masqueradeInterfaces: 'eth0', prefixDelegation: false },
};

export function manifest(spec: Partial<Omit<ManifestInput['spec'], 'cluster'>> = {}): Manifest {
  return manifestSchema.parse({
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'ClusterMigration',
    metadata: { name: 'prod' },
    spec: { cluster: { kubeconfig: '/k' }, ...spec, cilium: { version: '1.20.0', clusterId: 1, ...spec.cilium } },
  });
}
