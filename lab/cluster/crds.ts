import type { Instance, Node, Pod } from '../glue/types.js';
import type { KubeObject } from './client.js';

type Manifest = KubeObject & { [key: string]: unknown };

const kinds: { plural: string; kind: string; scope: 'Cluster' | 'Namespaced'; short: string[]; status: boolean }[] = [
  { plural: 'ciliumnodes', kind: 'CiliumNode', scope: 'Cluster', short: ['cn', 'ciliumn'], status: true },
  { plural: 'ciliumendpoints', kind: 'CiliumEndpoint', scope: 'Namespaced', short: ['cep', 'ciliumep'], status: false },
  { plural: 'ciliumidentities', kind: 'CiliumIdentity', scope: 'Cluster', short: ['ciliumid'], status: false },
  { plural: 'ciliumnetworkpolicies', kind: 'CiliumNetworkPolicy', scope: 'Namespaced', short: ['cnp', 'ciliumnp'], status: true },
  { plural: 'ciliumclusterwidenetworkpolicies', kind: 'CiliumClusterwideNetworkPolicy', scope: 'Cluster', short: ['ccnp'], status: true },
];

const openSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function definitions(): Manifest[] {
  return kinds.map((item) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${item.plural}.cilium.io`, labels: { 'io.cilium.k8s.crd.schema.version': '1.32.2' } },
    spec: {
      group: 'cilium.io',
      names: { plural: item.plural, kind: item.kind, singular: item.kind.toLowerCase(), shortNames: item.short, categories: ['cilium'] },
      scope: item.scope,
      versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: openSchema }, ...(item.status ? { subresources: { status: {} } } : {}) }],
    },
  }));
}

function eniId(instance: Instance): string {
  return `eni-${instance.id.slice(2)}`;
}

function node(owner: Node, instance: Instance, pool: string[]): Manifest {
  const eni = eniId(instance);
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNode',
    metadata: {
      name: owner.metadata.name,
      labels: { ...owner.metadata.labels },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: owner.metadata.name, uid: owner.metadata.uid ?? '' }],
    },
    spec: {
      'instance-id': instance.id,
      addresses: [{ type: 'InternalIP', ip: instance.address }],
      eni: { 'vpc-id': 'vpc-lab', 'availability-zone': instance.zone, 'instance-type': instance.type, 'first-interface-index': 0, 'node-subnet-id': instance.subnet },
      ipam: { pool: Object.fromEntries(pool.map((address) => [address, { resource: eni }])), 'pre-allocate': 8 },
      health: {},
      encryption: {},
    },
    status: {
      eni: {
        enis: {
          [eni]: { id: eni, ip: instance.address, mac: '02:00:00:00:00:01', 'availability-zone': instance.zone, subnet: { id: instance.subnet }, vpc: { id: 'vpc-lab' }, addresses: pool, number: 0 },
        },
      },
      ipam: { used: {}, 'operator-status': {} },
    },
  };
}

function endpoint(pod: Pod, instance: Instance): Manifest {
  const namespace = pod.metadata.namespace ?? 'default';
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: {
      name: pod.metadata.name,
      namespace,
      labels: { ...pod.metadata.labels },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid ?? '' }],
    },
    status: {
      id: parseInt((pod.metadata.uid ?? '0').slice(0, 4), 16),
      state: 'ready',
      identity: { id: 10_000, labels: [`k8s:io.kubernetes.pod.namespace=${namespace}`] },
      networking: { addressing: [{ ipv4: pod.status?.podIP ?? '' }], node: instance.address },
      'external-identifiers': { 'k8s-namespace': namespace, 'k8s-pod-name': pod.metadata.name, 'pod-name': `${namespace}/${pod.metadata.name}` },
    },
  };
}

/** The objects of Cilium's API that the lab writes in the agents' and the operator's stead. */
export const cilium = { definitions, node, endpoint, eniId };
