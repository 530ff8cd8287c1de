import { groupSpecs } from '../options.js';
import type { ResolvedOptions } from '../options.js';
import type { KubeObject } from './client.js';
import { endDelayAnnotation } from './stages.js';

type Manifest = KubeObject & { [key: string]: unknown };

interface App {
  name: string;
  namespace: string;
  replicas: number;
  labels?: Record<string, string>;
  image?: string;
  /** PodDisruptionBudget, if it has one. */
  budget?: { minAvailable?: number | string; maxUnavailable?: number | string };
  pod?: Record<string, unknown>;
  annotations?: Record<string, string>;
  kind?: 'Deployment' | 'StatefulSet';
}

/** What runs in kube-system on every EKS cluster besides the CNI. */
export function systemObjects(options: ResolvedOptions): Manifest[] {
  const dns = app({
    name: 'coredns',
    namespace: 'kube-system',
    replicas: 2,
    labels: { 'k8s-app': 'kube-dns', 'eks.amazonaws.com/component': 'coredns' },
    image: `602401143452.dkr.ecr.${options.region}.amazonaws.com/eks/coredns:v1.12.4-eksbuild.1`,
    budget: { maxUnavailable: 1 },
    pod: { priorityClassName: 'system-cluster-critical', tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }] },
  });
  const objects = [
    ...dns,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
      spec: { clusterIP: '172.20.0.10', selector: { 'k8s-app': 'kube-dns' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53, protocol: 'TCP' }] },
    },
    daemonSet('kube-proxy', 'kube-system', {
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'kube-proxy', image: `602401143452.dkr.ecr.${options.region}.amazonaws.com/eks/kube-proxy:v1.36.0-minimal-eksbuild.2`, resources: { requests: { cpu: '100m' } } }],
    }),
  ];
  if (options.karpenter > 0) objects.push(...karpenter());
  if (!options.clusterAutoscaler) return objects;
  return [
    ...objects,
    ...app({
      name: 'cluster-autoscaler',
      namespace: 'kube-system',
      replicas: 1,
      image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0',
      pod: { priorityClassName: 'system-cluster-critical' },
    }),
  ];
}

/** As its chart has it: never on a node of its own making. What it does is imitated in lab/karpenter. */
function karpenter(): Manifest[] {
  const elsewhere = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'karpenter.sh/nodepool', operator: 'DoesNotExist' }] }] };
  return app({
    name: 'karpenter',
    namespace: 'kube-system',
    replicas: 1,
    image: 'public.ecr.aws/karpenter/controller:1.8.1',
    pod: { priorityClassName: 'system-cluster-critical', affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: elsewhere } } },
  });
}

/** The user's own workload. */
export function workloadObjects(options: ResolvedOptions): Manifest[] {
  if (options.workload === 'none') return [];
  if (typeof options.workload === 'number') return manyReplicas(options.workload);
  if (options.workload === 'busy') return busy(options);
  const namespace = 'shop';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...app({ name: 'web', namespace, replicas: 3, budget: { minAvailable: 2 } }),
    ...app({ name: 'api', namespace, replicas: 3, budget: { maxUnavailable: 1 } }),
    ...app({ name: 'cart', namespace, replicas: 2, budget: { maxUnavailable: 1 } }),
    ...app({ name: 'worker', namespace, replicas: 2 }),
    ...app({ name: 'scratch', namespace, replicas: 1, pod: { volumes: [{ name: 'scratch', emptyDir: {} }] } }),
    ...app({ name: 'db', namespace, replicas: 3, kind: 'StatefulSet', budget: { maxUnavailable: 1 } }),
    daemonSet('log-agent', namespace, {
      tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
      containers: [{ name: 'log-agent', image: 'example.invalid/log-agent:1', resources: { requests: { cpu: '10m' } } }],
    }),
  ];
}

/** For each ten nodes budgeted Deployments and singletons without a budget; one StatefulSet whose pods end slowly, one at a time. */
function busy(options: ResolvedOptions): Manifest[] {
  const namespace = 'shop';
  const tens = Math.max(1, Math.round(groupSpecs(options).reduce((sum, group) => sum + group.desired, 0) / 10));
  const numbered = (count: number, make: (index: number) => Manifest[]): Manifest[] => Array.from({ length: count }, (_, index) => make(index + 1)).flat();
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...numbered(12 * tens, (index) => app({ name: `web-${String(index)}`, namespace, replicas: 5, budget: { maxUnavailable: 1 } })),
    ...numbered(3 * tens, (index) => app({ name: `single-${String(index)}`, namespace, replicas: 1 })),
    ...app({
      name: 'db',
      namespace,
      replicas: 3,
      kind: 'StatefulSet',
      budget: { maxUnavailable: 1 },
      annotations: { [endDelayAnnotation]: `${String(options.slowTerminationDelay)}ms` },
      pod: { terminationGracePeriodSeconds: 60 },
    }),
  ];
}

/** Deployments of ten replicas. Many clusters have many namespaces: for each eviction the API server reads all budgets of one. */
function manyReplicas(total: number): Manifest[] {
  const [size, each] = [10, 20];
  const apps = Array.from({ length: Math.ceil(total / size) }, (_, index) => ({
    name: `app-${String(index)}`,
    namespace: `load-${String(Math.floor(index / each))}`,
    replicas: Math.min(size, total - index * size),
  }));
  const namespaces = [...new Set(apps.map(({ namespace }) => namespace))];
  return [
    ...namespaces.map((name): Manifest => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...apps.flatMap((some) => app({ ...some, budget: { maxUnavailable: '20%' } })),
  ];
}

function app(spec: App): Manifest[] {
  const labels = { app: spec.name, ...spec.labels };
  const kind = spec.kind ?? 'Deployment';
  const metadata = { name: spec.name, namespace: spec.namespace, labels };
  const container = {
    name: spec.name,
    image: spec.image ?? `example.invalid/${spec.name}:1`,
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
    ...(spec.pod?.['volumes'] === undefined ? {} : { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }),
  };
  const template = {
    metadata: { labels, ...(spec.annotations ? { annotations: spec.annotations } : {}) },
    spec: {
      terminationGracePeriodSeconds: 5,
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: spec.name } } }],
      containers: [container],
      ...spec.pod,
    },
  };
  const controller: Manifest = {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: { replicas: spec.replicas, selector: { matchLabels: { app: spec.name } }, template, ...(kind === 'StatefulSet' ? { serviceName: spec.name } : {}) },
  };
  if (spec.budget === undefined) return [controller];
  return [
    controller,
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: spec.name, namespace: spec.namespace }, spec: { ...spec.budget, selector: { matchLabels: { app: spec.name } } } },
  ];
}

function daemonSet(name: string, namespace: string, pod: Record<string, unknown>): Manifest {
  const labels = { 'k8s-app': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: { selector: { matchLabels: labels }, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } }, template: { metadata: { labels }, spec: pod } },
  };
}
