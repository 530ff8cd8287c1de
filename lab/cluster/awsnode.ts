import { parse } from 'yaml';
import type { KubeObject } from './client.js';

/** What shapes aws-node: an add-on's version, configuration and role, or the defaults of a self-managed one. */
export interface AwsNodeShape {
  version: string;
  /** The add-on's configurationValues (JSON or YAML), or ''. */
  configuration: string;
  /** IAM role for the ServiceAccount, or ''. */
  role: string;
  clusterName: string;
  region: string;
}

interface Configuration {
  env?: Record<string, string>;
  init?: { env?: Record<string, string> };
  nodeAgent?: Record<string, unknown>;
  enableNetworkPolicy?: string;
  affinity?: Tree;
  tolerations?: unknown[];
  resources?: unknown;
  podLabels?: Record<string, string>;
  podAnnotations?: Record<string, string>;
}

type Tree = { [key: string]: unknown };

/** As the stock manifest has it: one term that keeps out what is not an ordinary Linux node. */
const stockAffinity: Tree = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        {
          matchExpressions: [
            { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
            { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] },
            { key: 'eks.amazonaws.com/compute-type', operator: 'NotIn', values: ['fargate', 'hybrid', 'auto'] },
          ],
        },
      ],
    },
  },
};

const stockEnvironment: Record<string, string> = {
  ADDITIONAL_ENI_TAGS: '{}',
  ANNOTATE_POD_IP: 'false',
  AWS_VPC_CNI_NODE_PORT_SUPPORT: 'true',
  AWS_VPC_ENI_MTU: '9001',
  AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: 'false',
  AWS_VPC_K8S_CNI_EXTERNALSNAT: 'false',
  AWS_VPC_K8S_CNI_LOGLEVEL: 'DEBUG',
  AWS_VPC_K8S_CNI_LOG_FILE: '/host/var/log/aws-routed-eni/ipamd.log',
  AWS_VPC_K8S_CNI_RANDOMIZESNAT: 'prng',
  AWS_VPC_K8S_CNI_VETHPREFIX: 'eni',
  AWS_VPC_K8S_PLUGIN_LOG_FILE: '/var/log/aws-routed-eni/plugin.log',
  AWS_VPC_K8S_PLUGIN_LOG_LEVEL: 'DEBUG',
  DISABLE_INTROSPECTION: 'false',
  DISABLE_METRICS: 'false',
  DISABLE_NETWORK_RESOURCE_PROVISIONING: 'false',
  ENABLE_IMDS_ONLY_MODE: 'false',
  ENABLE_IPv4: 'true',
  ENABLE_IPv6: 'false',
  ENABLE_MULTI_NIC: 'false',
  ENABLE_POD_ENI: 'false',
  ENABLE_PREFIX_DELEGATION: 'false',
  ENABLE_SUBNET_DISCOVERY: 'true',
  NETWORK_POLICY_ENFORCING_MODE: 'standard',
  VPC_CNI_VERSION: '',
  WARM_ENI_TARGET: '1',
  WARM_PREFIX_TARGET: '1',
};

const registry = '602401143452.dkr.ecr.REGION.amazonaws.com';

/** ServiceAccount, RBAC, ConfigMap and DaemonSet of aws-node, as the add-on (or its manifest) makes them. */
export function awsNodeObjects(shape: AwsNodeShape): KubeObject[] {
  const labels = {
    'app.kubernetes.io/name': 'aws-node',
    'app.kubernetes.io/instance': 'aws-vpc-cni',
    'app.kubernetes.io/version': shape.version.replace(/-eksbuild.*/, ''),
    'k8s-app': 'aws-node',
  };
  const meta = { name: 'aws-node', namespace: 'kube-system', labels };
  const annotations = shape.role === '' ? {} : { annotations: { 'eks.amazonaws.com/role-arn': shape.role } };
  const objects: (KubeObject & Tree)[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...meta, ...annotations } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'aws-node', labels }, rules: rules() },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'aws-node', labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'aws-node' },
      subjects: [{ kind: 'ServiceAccount', name: 'aws-node', namespace: 'kube-system' }],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...meta, name: 'amazon-vpc-cni' },
      data: { 'enable-windows-ipam': 'false', 'enable-network-policy-controller': readConfiguration(shape).enableNetworkPolicy ?? 'false', 'branch-eni-cooldown': '60' },
    },
    daemonSet(shape, meta),
  ];
  return objects;
}

function readConfiguration(shape: AwsNodeShape): Configuration {
  return shape.configuration === '' ? {} : (parse(shape.configuration) as Configuration);
}

function daemonSet(shape: AwsNodeShape, metadata: KubeObject['metadata']): KubeObject & Tree {
  const values = readConfiguration(shape);
  const image = (name: string): string => `${registry.replace('REGION', shape.region)}/${name}:${shape.version}`;
  const environment: Record<string, string> = {
    ...stockEnvironment,
    VPC_CNI_VERSION: shape.version.replace(/-eksbuild.*/, ''),
    CLUSTER_NAME: shape.clusterName,
    ...values.env,
  };
  const selector = { 'k8s-app': 'aws-node' };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: {
      selector: { matchLabels: selector },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      template: {
        metadata: {
          labels: { ...selector, 'app.kubernetes.io/name': 'aws-node', 'app.kubernetes.io/instance': 'aws-vpc-cni', ...values.podLabels },
          ...(values.podAnnotations === undefined ? {} : { annotations: values.podAnnotations }),
        },
        spec: {
          affinity: merge(stockAffinity, values.affinity ?? {}),
          hostNetwork: true,
          priorityClassName: 'system-node-critical',
          serviceAccountName: 'aws-node',
          terminationGracePeriodSeconds: 10,
          tolerations: values.tolerations ?? [{ operator: 'Exists' }],
          securityContext: {},
          initContainers: [
            {
              name: 'aws-vpc-cni-init',
              image: image('amazon-k8s-cni-init'),
              env: environmentOf({ DISABLE_TCP_EARLY_DEMUX: 'false', ENABLE_IPv6: 'false', ...values.init?.env }),
              securityContext: { privileged: true },
              volumeMounts: [{ mountPath: '/host/opt/cni/bin', name: 'cni-bin-dir' }],
            },
          ],
          containers: [
            {
              name: 'aws-node',
              image: image('amazon-k8s-cni'),
              ports: [{ containerPort: 61678, name: 'metrics', protocol: 'TCP' }],
              env: [
                ...environmentOf(environment),
                { name: 'MY_NODE_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
                { name: 'MY_POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
              ],
              resources: values.resources ?? { requests: { cpu: '25m' } },
              securityContext: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
              volumeMounts: [
                { mountPath: '/host/opt/cni/bin', name: 'cni-bin-dir' },
                { mountPath: '/host/etc/cni/net.d', name: 'cni-net-dir' },
                { mountPath: '/var/run/aws-node', name: 'run-dir' },
              ],
            },
            {
              name: 'aws-eks-nodeagent',
              image: `${registry.replace('REGION', shape.region)}/amazon/aws-network-policy-agent:v1.3.0-eksbuild.1`,
              args: [
                '--enable-ipv6=false',
                `--enable-network-policy=${values.enableNetworkPolicy ?? 'false'}`,
                '--enable-cloudwatch-logs=false',
                '--enable-policy-event-logs=false',
                '--metrics-bind-addr=:8162',
                '--health-probe-bind-addr=:8163',
                '--conntrack-cache-cleanup-period=300',
              ],
              env: [{ name: 'MY_NODE_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } }],
              resources: { requests: { cpu: '25m' } },
              securityContext: { capabilities: { add: ['NET_ADMIN'] }, privileged: true },
              volumeMounts: [{ mountPath: '/host/opt/cni/bin', name: 'cni-bin-dir' }],
            },
          ],
          volumes: [
            { name: 'cni-bin-dir', hostPath: { path: '/opt/cni/bin', type: '' } },
            { name: 'cni-net-dir', hostPath: { path: '/etc/cni/net.d', type: '' } },
            { name: 'run-dir', hostPath: { path: '/var/run/aws-node', type: 'DirectoryOrCreate' } },
          ],
        },
      },
    },
  };
}

function environmentOf(values: Record<string, string>): { name: string; value: string }[] {
  return Object.keys(values)
    .sort()
    .map((name) => ({ name, value: values[name] ?? '' }));
}

function rules(): unknown[] {
  return [
    { apiGroups: ['crd.k8s.amazonaws.com'], resources: ['eniconfigs'], verbs: ['list', 'watch', 'get'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch', 'get'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch', 'get'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch', 'get'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'list'] },
    { apiGroups: ['networking.k8s.aws'], resources: ['policyendpoints'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['networking.k8s.aws'], resources: ['policyendpoints/status'], verbs: ['get'] },
    { apiGroups: ['vpcresources.k8s.aws'], resources: ['cninodes'], verbs: ['get', 'list', 'watch', 'patch'] },
  ];
}

/** As Helm does it for the add-on's chart: maps are merged, lists are replaced. */
function merge(base: Tree, over: Tree): Tree {
  const result: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    if (value === null) delete result[key];
    else result[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return result;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
