import type { ProbesSpec } from '../../domain/spec/probes.js';
import type { Strategy } from '../../domain/spec/words.js';
import { EVENT_NAMESPACE, KUBE_SYSTEM } from '../../domain/names.js';

/** Verbs on one resource that ciliate uses; `namespace` where it uses them in one namespace only. */
export interface Access {
  group: string;
  /** With the subresource: `pods/eviction`. */
  resource: string;
  verbs: readonly string[];
  namespace?: string;
}

const READ = ['get', 'list'] as const;
/** What is waited for is watched too. */
const WATCH = ['get', 'list', 'watch'] as const;
/** What helm does with the objects of a chart, and its storage with Secrets. */
const OWN = ['get', 'list', 'create', 'update', 'patch', 'delete'] as const;
/** Granting Cilium's own rights takes these: a role may otherwise only grant what it has itself. */
const GRANT = ['escalate', 'bind'] as const;

const cluster = (group: string, resource: string, verbs: readonly string[]): Access => ({ group, resource, verbs });
const system = (group: string, resource: string, verbs: readonly string[]): Access => ({ group, resource, verbs, namespace: KUBE_SYSTEM });

/**
 * Everything that ciliate does in a cluster, helm's part included. Preflight asks for each verb (SelfSubjectAccessReview), and
 * deploy/rbac.yaml grants exactly these (a unit test compares the two).
 */
export const KUBERNETES_ACCESS: readonly Access[] = [
  // Nodes and what runs on them
  cluster('', 'nodes', [...WATCH, 'patch', 'delete']),
  cluster('', 'pods', [...WATCH, 'delete']),
  cluster('', 'pods/eviction', ['create']),
  cluster('apps', 'daemonsets', READ),
  cluster('apps', 'deployments', READ),
  cluster('apps', 'deployments/scale', ['patch']),
  cluster('apps', 'replicasets', READ),
  cluster('apps', 'statefulsets', READ),
  cluster('policy', 'poddisruptionbudgets', WATCH),
  cluster('autoscaling', 'horizontalpodautoscalers', ['list']),
  cluster('storage.k8s.io', 'volumeattachments', ['list']),
  cluster('', 'persistentvolumeclaims', ['get']),
  // Nodes of Karpenter
  cluster('karpenter.sh', 'nodeclaims', ['list', 'delete']),
  cluster('karpenter.sh', 'nodepools', ['get', 'list', 'patch']),
  // What preflight looks at
  cluster('networking.k8s.io', 'networkpolicies', ['list']),
  cluster('discovery.k8s.io', 'endpointslices', ['list']),
  cluster('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', ['list']),
  cluster('admissionregistration.k8s.io', 'validatingwebhookconfigurations', ['list']),
  cluster('vpcresources.k8s.aws', 'securitygrouppolicies', ['list']),
  cluster('crd.k8s.amazonaws.com', 'eniconfigs', ['list']),
  // Cilium's own objects: the proofs
  cluster('apiextensions.k8s.io', 'customresourcedefinitions', READ),
  cluster('cilium.io', 'ciliumnodes', READ),
  cluster('cilium.io', 'ciliumendpoints', READ),
  // Before the way back
  cluster('cilium.io', 'ciliumnetworkpolicies', ['list']),
  cluster('cilium.io', 'ciliumclusterwidenetworkpolicies', ['list']),
  // The lease, the ledgers
  system('coordination.k8s.io', 'leases', ['get', 'create', 'update', 'patch', 'delete']),
  system('', 'configmaps', OWN),
  // What a blocked drain says on its Node
  { group: '', resource: 'events', verbs: ['get', 'create', 'patch'], namespace: EVENT_NAMESPACE },
  // aws-node and the objects of the Cilium chart
  system('apps', 'controllerrevisions', ['list']),
  system('apps', 'daemonsets', ['create', 'update', 'patch', 'delete']),
  system('apps', 'deployments', ['create', 'update', 'patch', 'delete']),
  system('policy', 'poddisruptionbudgets', ['create', 'update', 'patch', 'delete']),
  system('', 'secrets', OWN),
  system('', 'services', OWN),
  system('', 'serviceaccounts', OWN),
  // Charts from 1.16 on keep TLS secrets in a namespace of their own (cilium-secrets), with roles in it
  cluster('', 'namespaces', OWN),
  cluster('rbac.authorization.k8s.io', 'roles', [...OWN, ...GRANT]),
  cluster('rbac.authorization.k8s.io', 'rolebindings', OWN),
  cluster('rbac.authorization.k8s.io', 'clusterroles', [...OWN, ...GRANT]),
  cluster('rbac.authorization.k8s.io', 'clusterrolebindings', OWN),
];

/** What the network probe does beside: asked for only where the spec has it; deploy/rbac-probes.yaml grants exactly these. */
export function probeAccess({ network }: Pick<ProbesSpec, 'network'>): readonly Access[] {
  return network === undefined ? [] : [{ group: 'batch', resource: 'jobs', verbs: ['list', 'create', 'delete'], namespace: network.namespace }];
}

/** What restarting pods does beside (chain, clean): asked for only there; deploy/rbac-restart.yaml grants exactly these. */
export function restartAccess(strategy: Strategy): readonly Access[] {
  return strategy === 'replace' ? [] : ['deployments', 'statefulsets', 'daemonsets'].map((resource) => cluster('apps', resource, ['patch']));
}

/** What an AWS action is done on: decides for which resource the simulation asks. */
export type ActsOn = 'anything' | 'groups' | 'cluster' | 'addon' | 'role';

export interface AwsAction {
  action: string;
  on: ActsOn;
  /** `eks`: only where the EKS cluster is known; `addon`: only where aws-node is an add-on; `role`: only where that add-on has a role. */
  when: 'always' | 'eks' | 'addon' | 'role';
}

const always = (on: ActsOn, ...actions: string[]): AwsAction[] => actions.map((action) => ({ action, on, when: 'always' }));

/**
 * Every AWS action that a migration uses. deploy/iam/migrator-policy.json allows exactly these and {@link PROVING_ACTIONS} (a unit
 * test compares them).
 */
export const MIGRATOR_ACTIONS: readonly AwsAction[] = [
  ...always(
    'anything',
    'autoscaling:DescribeAutoScalingGroups',
    'autoscaling:DescribeAutoScalingInstances',
    'autoscaling:DescribeInstanceRefreshes',
    'autoscaling:DescribeScalingActivities',
    'autoscaling:DescribeScheduledActions',
  ),
  ...always(
    'groups',
    'autoscaling:ResumeProcesses',
    'autoscaling:SetDesiredCapacity',
    'autoscaling:SetInstanceProtection',
    'autoscaling:SuspendProcesses',
    'autoscaling:TerminateInstanceInAutoScalingGroup',
    'autoscaling:UpdateAutoScalingGroup',
  ),
  ...always(
    'anything',
    'ec2:DescribeInstanceTypes',
    'ec2:DescribeInstances',
    'ec2:DescribeLaunchTemplateVersions',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeRouteTables',
    'ec2:DescribeSubnets',
  ),
  ...['eks:DescribeCluster', 'eks:DescribeNodegroup', 'eks:DescribeUpdate', 'eks:ListNodegroups', 'eks:ListUpdates', 'eks:UpdateNodegroupConfig', 'eks:ListPodIdentityAssociations', 'eks:DescribeAddon'].map(
    (action): AwsAction => ({ action, on: action === 'eks:DescribeAddon' ? 'addon' : 'cluster', when: 'eks' }),
  ),
  { action: 'eks:DescribeAddonConfiguration', on: 'anything', when: 'addon' },
  { action: 'eks:UpdateAddon', on: 'addon', when: 'addon' },
  { action: 'eks:DeleteAddon', on: 'addon', when: 'addon' },
  // UpdateAddon hands the add-on's own role on, unchanged.
  { action: 'iam:PassRole', on: 'role', when: 'role' },
];

/**
 * What only the way back uses: EKS asks for CreatePodIdentityAssociation (no call of ours) where the add-on's role comes that way, and
 * for iam:PassRole as above.
 */
export const ROLLBACK_ACTIONS: readonly AwsAction[] = ['eks:CreateAddon', 'eks:CreatePodIdentityAssociation'].map((action) => ({ action, on: 'cluster', when: 'eks' }));

/** Used to find things and to prove rights; a migration goes on without them and says what is unproven. */
export const PROVING_ACTIONS: readonly string[] = [
  'eks:DescribePodIdentityAssociation',
  'eks:ListClusters',
  'iam:GetInstanceProfile',
  'iam:GetRole',
  'iam:SimulatePrincipalPolicy',
];

/** What cilium-operator needs in ENI mode; without one of them a new node gets no addresses. */
export const OPERATOR_ACTIONS: readonly string[] = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:AttachNetworkInterface',
  'ec2:CreateNetworkInterface',
  'ec2:CreateTags',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeRouteTables',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeVpcs',
  'ec2:ModifyNetworkInterfaceAttribute',
];

/** Used by the operator only with some values: releasing excess addresses and prefixes, filters by tags. */
export const OPERATOR_OPTIONAL_ACTIONS: readonly string[] = ['ec2:DescribeInstances', 'ec2:DescribeTags', 'ec2:UnassignPrivateIpAddresses'];
