import { describe, expect, it } from 'vitest';
import { observedBudget } from '../../../activities/observe/workloads.js';
import { HAZARDS, findHazards } from '../../../domain/hazards/index.js';
import type { ChartProblem, Severity } from '../../../domain/findings.js';
import type { NetworkPolicyMeaning } from '../../../domain/policy/networkPolicies.js';
import type { ObservedCluster, ObservedNodePool } from '../../../domain/observation.js';
import type { Manifest } from '../../../domain/spec/schema.js';
import { OUR_CILIUM, awsNode, cluster, group, manifest, node } from '../planner/cluster.js';

interface Case {
  id: string;
  severity: Severity;
  cluster?: Partial<ObservedCluster>;
  manifest?: Manifest;
  problems?: ChartProblem[];
  /** A piece of some object that must be named. */
  names?: string;
}

const pods = (over: Partial<ObservedCluster['pods']>): Partial<ObservedCluster> => ({ pods: { total: 1, hostPort: [], bare: [], emptyDir: [], podEni: [], user: [], ...over } });
const cilium = (over: object): Manifest => manifest({ cilium: { version: '1.20.0', clusterId: 1, ...over } });
const env = (values: Record<string, string>): Partial<ObservedCluster> => ({ awsNode: awsNode({ env: values }) });
const eks = (over: object): Partial<ObservedCluster> => ({ eks: { ...(cluster().eks as NonNullable<ObservedCluster['eks']>), ...over } });
const addon = (over: object): Partial<ObservedCluster> => ({
  awsNode: awsNode({ managedBy: 'addon', addon: { version: 'v1.20.0-eksbuild.1', status: 'ACTIVE', schemaHasAffinity: true, ...over } }),
});
const nodePool = (over: Partial<ObservedNodePool>): ObservedNodePool => ({ name: 'default', labels: {}, taints: [], startupTaints: [], expireAfter: 'Never', ...over });
const hundred = Array.from({ length: 101 }, (_, index) => node(index + 1));
const TENTH = { rollingUpdate: { maxUnavailable: '10%' } };
const three = [node(1), node(2), node(3)];
const decrement = manifest({ refresh: { shouldDecrementDesiredCapacity: true } });
const policy = { namespace: 'shop', name: 'deny' };
const meaning = (name: string, change: NetworkPolicyMeaning['change'] = 'takes-effect'): NetworkPolicyMeaning => ({ namespace: 'shop', name, directions: ['ingress'], pods: 2, change, before: 'before', after: 'after', notes: ['a note'] });
const pdb = { namespace: 'shop', name: 'cart', expectedPods: 2, currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0 };
const uncountable = { ...pdb, expectedPods: 0, currentHealthy: 0, desiredHealthy: 0, rule: 'maxUnavailable: 1', failed: 'SyncFailed: widgets.example.com does not implement the scale subresource' };
const hook = { name: 'w', service: 'hooks/w', guardsPods: false, readyEndpoints: 1, last: { namespace: 'hooks', name: 'w-1', node: 'ip-10-0-0-1', stays: false, deployment: 'w' } };
const solo = { kind: 'Deployment' as const, namespace: 'shop', name: 'solo', budgets: [], claims: false };
const surging = manifest({ drain: { surgeSingletons: true } });
const pod = { namespace: 'shop', name: 'cart-1' };
const chain = manifest({ strategy: 'chain' });
const running = (chainingMode: string | null) => ({ ...OUR_CILIUM, config: { masquerade: true, prefixDelegation: false, chainingMode } });
const problem = (stage: ChartProblem['stage']): ChartProblem => ({ stage, object: 'values.tunnel', message: 'm', todo: 't' });

const CASES: Case[] = [
  { id: 'access-denied', severity: 'blocker', cluster: { deniedAccess: [{ verb: 'create', resource: 'pods/eviction' }] }, names: 'create pods/eviction' },
  { id: 'aws-action-denied', severity: 'blocker', cluster: { aws: { region: 'r', actions: [{ action: 'ec2:DescribeInstances', verdict: 'denied', how: 'DryRun' }] } } },
  { id: 'aws-action-denied', severity: 'info', cluster: { aws: { region: 'r', actions: [{ action: 'autoscaling:SetDesiredCapacity', verdict: 'denied', how: 'simulated' }] } }, names: 'SetDesiredCapacity' },
  { id: 'aws-action-denied', severity: 'blocker', cluster: { aws: { region: 'r', actions: [{ action: 'autoscaling:SetDesiredCapacity', verdict: 'denied', how: 'simulated' }] } }, manifest: manifest({ refresh: { maxSurge: '10%' } }) },
  { id: 'aws-action-unproven', severity: 'info', cluster: { aws: { region: 'r', actions: [{ action: 'eks:UpdateAddon', verdict: 'unproven', how: 'no' }] } } },
  { id: 'worker-inside', severity: 'blocker', cluster: { workerInside: true } },
  { id: 'worker-inside-unknown', severity: 'warning', cluster: { workerInside: null } },
  { id: 'lease-held', severity: 'blocker', cluster: { lease: { holder: 'x/y/z', whose: 'other' } } },
  { id: 'lease-held', severity: 'warning', cluster: { lease: { holder: 'x/y/z', whose: 'same-temporal' } } },
  { id: 'helm-missing', severity: 'blocker', cluster: { helm: null } },
  { id: 'chart-unavailable', severity: 'blocker', problems: [problem('chart')] },
  { id: 'values-fight', severity: 'blocker', problems: [problem('values')], names: 'values.tunnel' },
  { id: 'chart-render', severity: 'blocker', problems: [problem('render')] },
  { id: 'chart-assertion', severity: 'blocker', problems: [problem('assertion')] },
  { id: 'cluster-id-absent', severity: 'info', manifest: manifest({ cilium: { version: '1.20.0', clusterId: undefined } }) },
  { id: 'slow-roll', severity: 'info', cluster: { nodes: hundred }, names: 'cilium-envoy (101 nodes, 2 at a time: 51 rounds)' },
  { id: 'slow-roll', severity: 'info', cluster: { nodes: hundred }, manifest: cilium({ values: { updateStrategy: TENTH } }), names: 'cilium-envoy' },
  { id: 'aws-node-missing', severity: 'blocker', cluster: { awsNode: null } },
  { id: 'eks-unknown', severity: 'warning', cluster: { eks: null } },
  { id: 'eks-unknown', severity: 'blocker', cluster: { eks: null, awsNode: awsNode({ fieldManagers: ['eks'] }) } },
  { id: 'addon-without-affinity', severity: 'blocker', cluster: addon({ schemaHasAffinity: false }), names: 'v1.20.0' },
  { id: 'addon-schema-unknown', severity: 'warning', cluster: addon({ schemaHasAffinity: null }) },
  { id: 'addon-degraded', severity: 'warning', cluster: addon({ status: 'DEGRADED' }) },
  { id: 'aws-node-gitops', severity: 'warning', cluster: { awsNode: awsNode({ fieldManagers: ['argocd-controller'] }) }, names: 'argocd' },
  { id: 'aws-node-eks-fields', severity: 'info', cluster: addon({}) },
  { id: 'foreign-cilium', severity: 'blocker', cluster: { cilium: { ...OUR_CILIUM, release: null } } },
  { id: 'other-datapath', severity: 'blocker', cluster: { cilium: running('aws-cni') }, names: 'Helm release' },
  { id: 'other-datapath', severity: 'blocker', cluster: { cilium: running('aws-cni') }, manifest: manifest({ strategy: 'clean' }) },
  { id: 'other-datapath', severity: 'blocker', cluster: { cilium: running('none') }, manifest: chain },
  { id: 'vpc-cni-too-old', severity: 'blocker', cluster: { awsNode: awsNode({ image: 'amazon-k8s-cni:v1.11.1' }) }, manifest: chain, names: 'DaemonSet' },
  { id: 'vpc-cni-too-old', severity: 'blocker', cluster: addon({ version: 'v1.9.3-eksbuild.1' }), manifest: chain, names: 'add-on' },
  { id: 'vpc-cni-too-old', severity: 'warning', cluster: { awsNode: awsNode({ image: `mirror:5000/cni@sha256:${'1'.repeat(64)}` }) }, manifest: chain },
  { id: 'chain-limits', severity: 'info', manifest: chain, names: 'l7' },
  { id: 'chain-limits', severity: 'blocker', manifest: manifest({ strategy: 'chain', chain: { acceptLimits: ['l7'] } }), names: 'host-routing' },
  { id: 'user-workloads', severity: 'blocker', cluster: pods({ user: [pod] }), manifest: manifest({ strategy: 'clean' }), names: 'Pod shop/cart-1' },
  { id: 'other-network-agent', severity: 'blocker', cluster: { otherNetworkAgents: ['calico-system/calico-node'] }, names: 'calico-node' },
  { id: 'no-nodes', severity: 'blocker', cluster: { nodes: [] } },
  { id: 'node-unplaced', severity: 'blocker', cluster: { nodes: [...three, node(4, { group: undefined })] }, names: 'no group' },
  { id: 'foreign-label', severity: 'blocker', cluster: { nodes: [...three, node(4, { labels: { 'cni-plugin': 'cilium' } })] }, names: 'cni-plugin=cilium' },
  { id: 'node-runs-both', severity: 'blocker', cluster: { nodes: [...three, node(4, { cni: 'both' })] } },
  { id: 'node-runs-both', severity: 'blocker', cluster: { nodes: [...three, node(4, { cni: 'cilium', labels: { 'cni-plugin': 'aws' } })], cilium: OUR_CILIUM } },
  { id: 'node-without-agent', severity: 'warning', cluster: { nodes: [...three, node(4, { cni: 'none' })] } },
  { id: 'node-not-ready', severity: 'warning', cluster: { nodes: [...three, node(4, { ready: false })] } },
  { id: 'instance-gone', severity: 'warning', cluster: { nodes: [...three, node(4, { instanceState: 'terminated', group: undefined })] } },
  { id: 'instance-gone', severity: 'warning', cluster: { nodes: [...three, node(4, { instanceState: 'unknown', ready: false, group: undefined, labels: { 'cni-plugin': 'aws' } })] } },
  { id: 'node-cordoned', severity: 'info', cluster: { nodes: [...three, node(4, { unschedulable: true })] } },
  { id: 'label-returns', severity: 'blocker', cluster: { groups: [group(three, { nodeLabels: { 'cni-plugin': 'aws' } })] } },
  { id: 'label-returns', severity: 'blocker', cluster: eks({ nodegroups: [{ name: 'ng', labels: { 'cni-plugin': 'aws' }, taints: [], autoScalingGroups: [], status: 'ACTIVE' }] }) },
  { id: 'label-returns', severity: 'blocker', cluster: { nodePools: [nodePool({ labels: { 'cni-plugin': 'aws' } })] }, names: 'NodePool default' },
  { id: 'agent-not-ready-taint', severity: 'warning', cluster: { nodePools: [nodePool({ startupTaints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoExecute' }] })] }, names: 'NodePool default' },
  { id: 'agent-not-ready-for-good', severity: 'blocker', cluster: { nodePools: [nodePool({ taints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoExecute' }] })] } },
  { id: 'nodegroup-not-active', severity: 'blocker', cluster: eks({ nodegroups: [{ name: 'ng', labels: {}, taints: [], autoScalingGroups: ['workers'], status: 'DEGRADED' }] }), names: 'ng (DEGRADED)' },
  { id: 'eks-update', severity: 'blocker', cluster: eks({ nodegroups: [{ name: 'ng', labels: {}, taints: [], autoScalingGroups: [], status: 'UPDATING' }] }), names: 'ng (UPDATING)' },
  { id: 'karpenter-dip', severity: 'warning', cluster: { nodes: [...three, node(4, { group: 'karpenter/default' })] }, names: 'NodePool default' },
  { id: 'karpenter-unseen', severity: 'warning', cluster: { nodes: [...three, node(4, { group: 'karpenter/default' })] }, names: 'NodePool default' },
  { id: 'karpenter-expiry', severity: 'info', cluster: { nodes: [...three, node(4, { group: 'karpenter/default' })], nodePools: [nodePool({ expireAfter: '720h' })] }, names: '720h' },
  {
    id: 'agent-not-ready-taint',
    severity: 'warning',
    cluster: eks({ nodegroups: [{ name: 'ng', labels: {}, taints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoExecute' }], autoScalingGroups: [], status: 'ACTIVE' }] }),
  },
  { id: 'eks-update', severity: 'blocker', cluster: eks({ updatesInProgress: ['u-1'] }), names: 'u-1' },
  { id: 'eks-update', severity: 'blocker', cluster: addon({ status: 'UPDATING' }) },
  { id: 'instance-refresh', severity: 'blocker', cluster: { groups: [group(three, { instanceRefreshes: ['r-1'] })] } },
  { id: 'group-process-suspended', severity: 'blocker', cluster: { groups: [group(three, { suspendedProcesses: ['Launch'] })] } },
  { id: 'group-not-whole', severity: 'warning', cluster: { groups: [group(three, { desiredCapacity: 4 })] } },
  {
    id: 'scale-in-protection',
    severity: 'warning',
    cluster: { groups: [group(three, { instances: three.map((each) => ({ id: each.instanceId ?? '', zone: 'a', lifecycle: 'InService', healthy: true, protected: true })) })] },
  },
  { id: 'left-out', severity: 'info', cluster: { nodes: [...three, node(4, { leftOut: 'fargate', cni: 'none' })] } },
  { id: 'left-alone', severity: 'info', cluster: { nodes: [...three, node(4, { leftAlone: true })] }, names: 'Node ip-10-0-0-4' },
  { id: 'leave-alone-nothing', severity: 'warning', manifest: manifest({ refresh: { leaveAlone: 'pool=db' } }), names: 'refresh.leaveAlone: pool=db' },
  { id: 'karpenter-nodes', severity: 'warning', cluster: { nodes: [...three, node(4, { leftOut: 'karpenter' })] } },
  { id: 'auto-mode', severity: 'warning', cluster: eks({ autoMode: true }) },
  { id: 'cluster-autoscaler', severity: 'info', cluster: { clusterAutoscaler: true } },
  { id: 'decrement-min-size', severity: 'blocker', manifest: decrement, names: '3 - 3 < MinSize 1' },
  { id: 'decrement-capacity', severity: 'blocker', manifest: decrement, names: 'no node is on Cilium yet' },
  { id: 'operator-place', severity: 'blocker', cluster: { nodes: [node(1)] } },
  {
    id: 'operator-place',
    severity: 'blocker',
    cluster: { nodes: [node(1), ...[2, 3].map((index) => node(index, { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }))] },
    names: 'ip-10-0-0-1',
  },
  { id: 'operator-rights-missing', severity: 'blocker', cluster: { operatorRights: { missing: ['ec2:CreateNetworkInterface'], verdict: 'denied', how: 'simulated' } } },
  { id: 'operator-rights-unproven', severity: 'warning', cluster: { operatorRights: { missing: [], verdict: 'unproven', how: 'no role found' } } },
  { id: 'ipv6', severity: 'blocker', cluster: eks({ ipFamily: 'ipv6' }) },
  { id: 'ipv6', severity: 'blocker', cluster: env({ ENABLE_IPv6: 'true' }) },
  { id: 'masquerade-undecided', severity: 'blocker', cluster: { nodes: [...three, node(4, { osImage: 'Amazon Linux 2023.6' })] } },
  {
    id: 'masquerade-public-subnet',
    severity: 'warning',
    cluster: { subnets: [{ id: 's', zone: 'z', availableIps: 99, cidr: '', route: 'internet-gateway' }] },
    manifest: cilium({ masquerade: false }),
  },
  { id: 'mixed-os-images', severity: 'info', cluster: { nodes: [...three, node(4, { osImage: 'Ubuntu 24.04' })] } },
  { id: 'managed-interfaces', severity: 'warning', cluster: { nodes: [node(1, { osImage: 'Ubuntu 24.04' }), node(2, { osImage: 'Ubuntu 24.04' })] } },
  { id: 'network-policy-gap', severity: 'blocker', cluster: { networkPolicies: [policy], awsNode: awsNode({ enforcesNetworkPolicy: true }) }, names: 'shop/deny' },
  { id: 'network-policy-gap', severity: 'warning', cluster: { networkPolicies: [policy], awsNode: awsNode({ enforcesNetworkPolicy: true }) }, manifest: cilium({ acceptPolicyGap: true }) },
  { id: 'network-policy-latent', severity: 'warning', cluster: { networkPolicies: [policy] } },
  { id: 'network-policy-meaning', severity: 'info', cluster: { policyMeanings: [meaning('deny')] }, names: 'shop/deny (2 pods): NO EFFECT NOW, HAS ONE LATER' },
  { id: 'security-groups-for-pods', severity: 'blocker', cluster: { securityGroupPolicies: [policy] } },
  { id: 'security-groups-for-pods', severity: 'blocker', cluster: pods({ podEni: [pod] }) },
  { id: 'pod-eni-enabled', severity: 'info', cluster: env({ ENABLE_POD_ENI: 'true' }) },
  { id: 'custom-networking', severity: 'blocker', cluster: { ...env({ AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: 'true' }), eniConfigs: ['eu-west-1a'] }, names: 'eu-west-1a' },
  { id: 'host-port', severity: 'blocker', cluster: pods({ hostPort: [pod] }), names: 'Pod shop/cart-1' },
  { id: 'host-port', severity: 'warning', cluster: pods({ hostPort: [pod] }), manifest: cilium({ values: { cni: { chainingMode: 'none' } } }), names: 'Pod shop/cart-1' },
  { id: 'host-port', severity: 'warning', cluster: pods({ hostPort: [pod] }), manifest: cilium({ values: { cni: { chainingMode: 'portmap' } } }), names: 'Pod shop/cart-1' },
  { id: 'host-port', severity: 'warning', manifest: cilium({ values: { cni: { chainingMode: 'portmap' } } }) },
  { id: 'max-pods', severity: 'blocker', cluster: { nodes: [...three, node(4, { maxPods: 110 })] }, names: '110 max-pods, room for 29' },
  { id: 'instance-type-unknown', severity: 'info', cluster: { instanceTypes: {} } },
  { id: 'subnet-addresses', severity: 'blocker', cluster: { subnets: [{ id: 'subnet-b', zone: 'eu-west-1b', availableIps: 3, cidr: '', route: 'nat' }] }, names: 'subnet-b has 3 free' },
  { id: 'leftover-enis', severity: 'info', cluster: { leftoverEnis: ['eni-1'] } },
  { id: 'pdb-undrainable', severity: 'warning', cluster: { pdbs: [pdb] }, names: 'needs 2 of 2' },
  { id: 'pdb-exhausted', severity: 'warning', cluster: { pdbs: [{ ...pdb, expectedPods: 3 }] } },
  { id: 'pdb-undrainable', severity: 'warning', cluster: { pdbs: [{ ...pdb, rule: 'maxUnavailable: 0' }] }, names: 'maxUnavailable: 0, needs 2 of 2' },
  { id: 'pdb-uncountable', severity: 'warning', cluster: { pdbs: [uncountable] }, names: 'PodDisruptionBudget shop/cart (maxUnavailable: 1; SyncFailed: widgets.example.com does not implement the scale subresource)' },
  { id: 'pdb-uncountable', severity: 'warning', cluster: { pdbs: [{ ...uncountable, failed: undefined, currentHealthy: 2 }] }, names: '(maxUnavailable: 1; its pods have no controller' },
  { id: 'two-budgets', severity: 'warning', cluster: { budgetOverlaps: [{ ...pod, node: 'ip-10-0-0-1', budgets: ['a', 'b'] }] }, names: 'Pod shop/cart-1 (PodDisruptionBudgets a, b)' },
  { id: 'singleton-down', severity: 'info', cluster: { singletons: [solo] }, names: 'Deployment shop/solo' },
  { id: 'singleton-down', severity: 'warning', cluster: { singletons: [solo, { ...solo, name: 'auto', autoscaler: 'auto' }] }, manifest: surging, names: 'Deployment shop/auto (HorizontalPodAutoscaler auto)' },
  { id: 'singleton-down', severity: 'warning', cluster: { singletons: [{ ...solo, kind: 'StatefulSet' }] }, manifest: surging, names: 'StatefulSet shop/solo' },
  { id: 'bare-pods', severity: 'warning', cluster: pods({ bare: [pod] }) },
  { id: 'empty-dir', severity: 'info', cluster: pods({ emptyDir: [pod] }) },
  { id: 'empty-dir', severity: 'warning', cluster: pods({ emptyDir: [pod] }), manifest: manifest({ drain: { emptyDir: 'block' } }) },
  { id: 'probe-fails', severity: 'warning', cluster: { probes: [{ object: 'Probe http shop', reason: 'expected a status from 200 to 299, saw status 503' }] } },
  { id: 'webhook-single-backend', severity: 'warning', cluster: { failClosedWebhooks: [hook] }, names: 'Webhook w (Service hooks/w: Pod hooks/w-1 on ip-10-0-0-1 is its last ready backend)' },
  { id: 'webhook-single-backend', severity: 'warning', cluster: { failClosedWebhooks: [hook], singletons: [{ ...solo, kind: 'StatefulSet', namespace: 'hooks', name: 'w' }] }, manifest: surging },
  { id: 'webhook-no-backend', severity: 'warning', cluster: { failClosedWebhooks: [{ name: 'w', service: 'hooks/w', guardsPods: true, readyEndpoints: 0 }] }, names: 'Webhook w (Service hooks/w: none ready)' },
  { id: 'webhook-no-backend', severity: 'warning', cluster: { failClosedWebhooks: [{ ...hook, guardsPods: true, last: { ...hook.last, stays: true } }] }, names: 'its last, Pod hooks/w-1, ends with its node' },
];

const found = (each: Case) => findHazards({ cluster: cluster(each.cluster), manifest: each.manifest ?? manifest(), chartProblems: each.problems });

describe('each hazard', () => {
  it.each(CASES)('$id ($severity)', (each) => {
    const hits = found(each).filter(({ id }) => id === each.id);
    expect(hits.map(({ severity }) => severity)).toEqual([each.severity]);
    const [hit] = hits;
    if (each.names !== undefined) expect(hit?.objects.join('\n')).toContain(each.names);
    expect(hit?.message.length).toBeGreaterThan(0);
    expect(hit?.todo.length).toBeGreaterThan(0);
  });

  it('is tested here', () => {
    expect(HAZARDS.map(({ id }) => id).filter((id) => !CASES.some((each) => each.id === id))).toEqual([]);
  });
});

it('a cluster with nothing wrong has no finding', () => {
  expect(findHazards({ cluster: cluster(), manifest: manifest() })).toEqual([]);
});

it('puts blockers first and names at most ten objects', () => {
  const many = Array.from({ length: 25 }, (_, index) => ({ namespace: 'shop', name: `cart-${index}` }));
  const findings = found({ id: '', severity: 'info', cluster: { ...pods({ bare: many, hostPort: many }), clusterAutoscaler: true } });
  expect(findings.map(({ severity }) => severity)).toEqual(['blocker', 'warning', 'info']);
  expect(findings[0]?.objects).toHaveLength(11);
  expect(findings[0]?.objects[10]).toBe('and 15 more');
});

describe('what makes a hazard go away', () => {
  const gone = (id: string, each: Omit<Case, 'id' | 'severity'>) => expect(found({ id, severity: 'info', ...each }).map((finding) => finding.id)).not.toContain(id);

  it('hostPort: the blocker names the key of the values that lifts it', () => {
    expect(found({ id: 'host-port', severity: 'blocker', cluster: pods({ hostPort: [pod] }) })[0]?.todo).toContain('cni.chainingMode: portmap in spec.cilium.values');
    gone('host-port', { manifest: cilium({ values: { cni: { chainingMode: 'none' } } }) });
  });
  it('custom networking: eni.nodeSpec from 1.19 on only', () => {
    const on = env({ AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: 'true' });
    const values = { eni: { nodeSpec: { subnetTags: ['pods=yes'] } } };
    gone('custom-networking', { cluster: on, manifest: cilium({ values }) });
    expect(found({ id: '', severity: 'info', cluster: on, manifest: cilium({ version: '1.18.12', values }) }).map(({ id }) => id)).toContain('custom-networking');
  });
  it('max-pods: prefix delegation, from aws-node or the values', () => {
    const nodes = three.map((each) => ({ ...each, maxPods: 110 }));
    gone('max-pods', { cluster: { nodes, ...env({ ENABLE_PREFIX_DELEGATION: 'true' }) } });
    gone('max-pods', { cluster: { nodes }, manifest: cilium({ values: { eni: { awsEnablePrefixDelegation: true } } }) });
  });
  it('operator without a place: the values tolerate the taints of node groups', () => {
    gone('operator-place', { cluster: { nodes: [node(1), node(2, { taints: [{ key: 'gpu', effect: 'NoSchedule' }] })] } });
    const cordoned = [node(1), node(2, { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] })];
    gone('operator-place', { cluster: { nodes: cordoned }, manifest: cilium({ values: { operator: { tolerations: [{ operator: 'Exists' }] } } }) });
  });
  it('drain.surgeSingletons: a Deployment of one replica, and its budget of one', () => {
    gone('singleton-down', { cluster: { singletons: [solo] }, manifest: surging });
    const one = { ...pdb, expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, rule: 'minAvailable: 1' };
    const of = { pdbs: [one], singletons: [{ ...solo, budgets: ['cart'] }] };
    gone('pdb-undrainable', { cluster: of, manifest: surging });
    expect(found({ id: '', severity: 'info', cluster: { ...of, pdbs: [{ ...one, rule: 'maxUnavailable: 0' }] }, manifest: surging }).map(({ id }) => id)).toEqual(['pdb-undrainable']);
    // It does not go down: its drain waits.
    gone('singleton-down', { cluster: of });
  });
  it('a budget that cannot be counted: it counts no pod; figures of before it could not are not taken for now', () => {
    gone('pdb-uncountable', { cluster: { pdbs: [{ ...uncountable, failed: undefined }] } });
    const old = { ...pdb, failed: uncountable.failed };
    expect(found({ id: '', severity: 'info', cluster: { pdbs: [old, { ...old, name: 'b', expectedPods: 3 }] } }).map(({ id }) => id)).toEqual(['pdb-uncountable']);
    // Its pods do not go down: their drain waits.
    gone('singleton-down', { cluster: { pdbs: [uncountable], singletons: [{ ...solo, budgets: ['cart'] }] } });
  });
  it('budgets in percent: what they come to is what counts, and a surge frees at most the half', () => {
    // As the disruption controller rounds: minAvailable and maxUnavailable both up.
    const percent = (rule: 'minAvailable' | 'maxUnavailable', share: number, count: number): ObservedCluster['pdbs'][number] => {
      const rounded = Math.ceil((share * count) / 100);
      const desiredHealthy = rule === 'minAvailable' ? rounded : count - rounded;
      return observedBudget({ metadata: { namespace: 'shop', name: 'cart' }, spec: { [rule]: `${share}%` }, status: { expectedPods: count, currentHealthy: count, desiredHealthy, disruptionsAllowed: count - desiredHealthy } });
    };
    const told = (one: ObservedCluster['pdbs'][number], by: Manifest = manifest()) =>
      found({ id: '', severity: 'info', cluster: { pdbs: [one], singletons: one.expectedPods === 1 ? [{ ...solo, budgets: ['cart'] }] : [] }, manifest: by }).filter(({ id }) => id.startsWith('pdb-')).map(({ objects }) => objects[0]);
    expect(told(percent('minAvailable', 100, 3))).toEqual(['PodDisruptionBudget shop/cart (minAvailable: 100%, needs 3 of 3)']);
    expect(told(percent('maxUnavailable', 0, 3))).toEqual(['PodDisruptionBudget shop/cart (maxUnavailable: 0%, needs 3 of 3)']);
    expect(told(percent('minAvailable', 67, 3))).toEqual(['PodDisruptionBudget shop/cart (minAvailable: 67%, needs 3 of 3)']);
    expect(told(percent('minAvailable', 66, 3))).toEqual([]);
    expect(told(percent('maxUnavailable', 1, 3))).toEqual([]);
    expect(told(percent('minAvailable', 50, 1))).toHaveLength(1);
    expect(told(percent('minAvailable', 50, 1), surging)).toEqual([]);
    expect(told(percent('minAvailable', 51, 1), surging)).toHaveLength(1);
    expect(told(percent('maxUnavailable', 0, 1), surging)).toHaveLength(1);
  });
  it('last backend of a webhook: another one is ready, it is on a node that stays, or it is surged', () => {
    const webhook = (over: object) => ({ cluster: { failClosedWebhooks: [{ ...hook, ...over }] } });
    gone('webhook-single-backend', webhook({ readyEndpoints: 2, last: undefined }));
    gone('webhook-single-backend', webhook({ last: { ...hook.last, node: 'elsewhere' } }));
    gone('webhook-single-backend', webhook({ last: { ...hook.last, stays: true } }));
    const surged = { ...webhook({}).cluster, singletons: [{ ...solo, namespace: 'hooks', name: 'w' }] };
    gone('webhook-single-backend', { cluster: surged, manifest: surging });
    // It does not go down: its drain waits.
    gone('singleton-down', { cluster: surged });
    // Nothing is created through it: that it is down is somebody else's business.
    gone('webhook-no-backend', webhook({ readyEndpoints: 0, last: undefined }));
  });
  it('two budgets: on a node that is not refreshed', () => gone('two-budgets', { cluster: { budgetOverlaps: [{ ...pod, node: 'elsewhere', budgets: ['a', 'b'] }] } }));
  it('label-returns: in the middle of a migration it must not be taken from a managed node group', () => {
    const labels = { 'cni-plugin': 'aws' };
    const nodegroups = [{ name: 'ng', labels, taints: [], autoScalingGroups: ['workers'], status: 'ACTIVE' }];
    const todo = (over: Partial<ObservedCluster>) => found({ id: '', severity: 'info', cluster: { ...eks({ nodegroups }), ...over } }).find(({ id }) => id === 'label-returns')?.todo;
    expect(todo({})).toContain('removeLabels');
    expect(todo({ nodes: three.map((each) => ({ ...each, labels })), awsNode: awsNode({ restricted: true }) })).toContain('Do not take it from the node group now');
  });
  it('nodegroup-not-active: its nodes are on Cilium already', () => {
    const nodegroups = [{ name: 'ng', labels: {}, taints: [], autoScalingGroups: ['other'], status: 'DEGRADED' }];
    gone('nodegroup-not-active', { cluster: eks({ nodegroups }) });
  });
  it('slow roll: a tenth of the nodes at a time, or few nodes', () => {
    gone('slow-roll', { cluster: { nodes: hundred }, manifest: cilium({ values: { updateStrategy: TENTH, envoy: { updateStrategy: TENTH } } }) });
    gone('slow-roll', { cluster: { nodes: hundred.slice(0, 100) } });
    gone('slow-roll', { cluster: { nodes: hundred }, manifest: cilium({ values: { updateStrategy: TENTH, envoy: { enabled: false } } }) });
  });
  it('decrement: room on Cilium nodes and in MinSize', () => {
    const nodes = [node(1, { labels: { 'cni-plugin': 'aws' } }), node(2, { cni: 'cilium' }), node(3, { cni: 'cilium' })];
    for (const id of ['decrement-capacity', 'decrement-min-size']) gone(id, { cluster: { nodes, cilium: OUR_CILIUM }, manifest: decrement });
  });
  it('no group: the instance is gone', () => {
    gone('node-unplaced', { cluster: { nodes: [...three, node(4, { instanceState: 'terminated', group: undefined })] } });
  });
  it('add-on UPDATING: it is ours, cut off', () => {
    const nodes = three.map((each) => ({ ...each, labels: { 'cni-plugin': 'aws' } }));
    gone('eks-update', { cluster: { ...addon({ status: 'UPDATING' }), nodes } });
  });
  it('other datapath: it runs as it is wanted, is not ours, or does not say', () => {
    for (const mode of ['none', 'portmap', null]) gone('other-datapath', { cluster: { cilium: running(mode) } });
    for (const mode of ['aws-cni', null]) gone('other-datapath', { cluster: { cilium: running(mode) }, manifest: chain });
    gone('other-datapath', { cluster: { cilium: { ...running('aws-cni'), release: null } } });
    gone('other-datapath', { cluster: { cilium: OUR_CILIUM }, manifest: chain });
  });
  it.each(['amazon-k8s-cni:v1.11.2', 'mirror:5000/amazon-k8s-cni:v1.12.0-eksbuild.1@sha256:aa', 'amazon-k8s-cni:2.0.0'])('VPC CNI too old: %s is not', (image) => {
    gone('vpc-cni-too-old', { cluster: { awsNode: awsNode({ image }) }, manifest: chain });
  });
  it('VPC CNI too old: the add-on says its version, whatever the image', () => {
    gone('vpc-cni-too-old', { cluster: { awsNode: awsNode({ image: 'x', managedBy: 'addon', addon: { version: 'v1.18.1-eksbuild.3', status: 'ACTIVE', schemaHasAffinity: true } }) }, manifest: chain });
  });
  it('limits of chaining: all that hold are accepted', () => {
    const accepted = manifest({ strategy: 'chain', chain: { acceptLimits: ['l7', 'ipsec', 'eni', 'host-routing', 'replace-later'] } });
    expect(found({ id: '', severity: 'info', manifest: accepted })).toMatchObject([{ id: 'chain-limits', severity: 'info', todo: expect.stringContaining('accepted in spec') as string }]);
    const branch = found({ id: '', severity: 'info', cluster: pods({ podEni: [pod] }), manifest: accepted });
    expect(branch.find(({ id }) => id === 'chain-limits')).toMatchObject({ severity: 'blocker', objects: ['security-groups'] });
  });
  it('user workloads: they are in a namespace of add-ons', () => {
    gone('user-workloads', { cluster: pods({ user: [pod] }), manifest: manifest({ strategy: 'clean', clean: { addOns: ['shop'] } }) });
  });
  it('aws-node missing: every node is on Cilium', () => {
    gone('aws-node-missing', { cluster: { awsNode: null, nodes: three.map((each) => ({ ...each, cni: 'cilium' as const })), cilium: OUR_CILIUM } });
  });
});

it('NetworkPolicies are told one a line, ten of them, those that begin to have an effect first', () => {
  const policyMeanings = [meaning('z-begins'), ...Array.from({ length: 12 }, (_, index) => meaning(`a-${index}`, 'stays'))];
  const [told] = found({ id: '', severity: 'info', cluster: { policyMeanings } });
  expect(told?.message).toBe('13 NetworkPolicies; 1 of them had no effect before and will have one with Cilium.');
  expect(told?.objects).toHaveLength(11);
  expect([told?.objects[0], told?.objects.at(-1)]).toEqual(['shop/z-begins (2 pods): NO EFFECT NOW, HAS ONE LATER; before; after; a note', 'and 3 more']);
  // Cilium alone is what there is then: nothing is to be decided.
  expect(found({ id: '', severity: 'info', cluster: { policyMeanings, awsNode: null, nodes: three.map((each) => ({ ...each, cni: 'cilium' as const })), cilium: OUR_CILIUM } }).map(({ id }) => id)).not.toContain('network-policy-meaning');
});

describe('a hazard is asked only with the strategies that it matters to', () => {
  const ids = (strategy: 'replace' | 'chain' | 'clean', over: Partial<ObservedCluster>) => findHazards({ cluster: cluster(over), manifest: manifest({ strategy }) }).map(({ id }) => id);
  const eniOnly: Partial<ObservedCluster> = {
    nodes: [...three, node(4, { maxPods: 110 }), node(5, { osImage: 'Amazon Linux 2023.6' }), node(6, { group: undefined })],
    subnets: [{ id: 'subnet-b', zone: 'eu-west-1b', availableIps: 3, cidr: '', route: 'nat' }],
    operatorRights: { missing: ['ec2:CreateNetworkInterface'], verdict: 'denied', how: 'simulated' },
    securityGroupPolicies: [{ namespace: 'shop', name: 'db' }],
    ...pods({ hostPort: [pod] }),
  };
  const ONLY = ['masquerade-undecided', 'max-pods', 'subnet-addresses', 'operator-rights-missing', 'node-unplaced', 'host-port', 'security-groups-for-pods'];

  it('chain: nothing of ENI mode and of nodes that are replaced', () => {
    expect(ids('replace', eniOnly)).toEqual(expect.arrayContaining(ONLY));
    expect(ids('clean', eniOnly)).toEqual(expect.arrayContaining(ONLY));
    expect(ids('chain', eniOnly)).toEqual(['chain-limits']);
  });

  it('clean: aws-node is not confined but removed, so its add-on needs no affinity', () => {
    for (const schemaHasAffinity of [false, null]) {
      expect(ids('replace', addon({ schemaHasAffinity })).join()).toContain('addon-');
      expect(ids('clean', addon({ schemaHasAffinity })).join()).not.toContain('addon-');
    }
  });

  it('what is wrong with any of them is asked with all', () => {
    for (const strategy of ['replace', 'chain', 'clean'] as const) {
      expect(ids(strategy, { helm: null, ...env({ ENABLE_IPv6: 'true' }), deniedAccess: [{ verb: 'create', resource: 'pods/eviction' }] })).toEqual(expect.arrayContaining(['access-denied', 'helm-missing', 'ipv6']));
    }
  });
});
