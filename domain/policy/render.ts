import { MANAGED_BY, MANAGED_BY_LABEL } from '../names.js';
import type { CiliumNetworkPolicy, CrossClusterPolicy, PolicyPort, PolicySide } from '../spec/policy.js';
import { CLUSTER_LABEL, DNS, K8S, NAMESPACE_LABEL, POLICY_LABEL, RENDERED_FROM } from './labels.js';

/** One CiliumNetworkPolicy and the cluster that it belongs in (the name that POLICY uses). */
export interface RenderedPolicy {
  cluster: string;
  /** Which side of the connection it is about; `given`: a CiliumNetworkPolicy as a person wrote it. */
  direction: 'egress' | 'ingress' | 'given';
  object: CiliumNetworkPolicy;
}

/**
 * The two policies that a CrossClusterPolicy comes to: egress where the connection begins (with DNS, without which no name is
 * found), ingress where it ends. Policies are not distributed by the mesh, so each side has its own. Every selector names its cluster:
 * one that does not means all clusters up to Cilium 1.18 and the local one from 1.19 on.
 *
 * @param ciliumName the cluster's name in Cilium, which may differ from its migration's
 */
export function renderPolicy({ metadata: { name }, spec: { from, to } }: CrossClusterPolicy, ciliumName: (cluster: string) => string): RenderedPolicy[] {
  const client = peer(from, ciliumName);
  const server = peer(to, ciliumName);
  const dns = peer({ ...DNS, cluster: from.cluster }, ciliumName);
  return [
    {
      cluster: from.cluster,
      direction: 'egress',
      object: object(`${name}-egress`, { name, namespace: from.namespace }, {
        endpointSelector: selected(from, ciliumName),
        egress: [{ toEndpoints: [server], toPorts: ports(to.ports) }, { toEndpoints: [dns], toPorts: ports([{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }]) }],
      }),
    },
    {
      cluster: to.cluster,
      direction: 'ingress',
      object: object(`${name}-ingress`, { name, namespace: to.namespace }, {
        endpointSelector: selected(to, ciliumName),
        ingress: [{ fromEndpoints: [client], toPorts: ports(to.ports) }],
      }),
    },
  ];
}

/** A CiliumNetworkPolicy as it was given, marked as ours so that `remove` finds it. */
export function markedPolicy(policy: CiliumNetworkPolicy): CiliumNetworkPolicy {
  const { metadata, ...rest } = policy;
  const labels = { ...metadata.labels, [MANAGED_BY_LABEL]: MANAGED_BY, [POLICY_LABEL]: metadata.name };
  return { ...rest, metadata: { name: metadata.name, namespace: metadata.namespace, ...(metadata['annotations'] === undefined ? {} : { annotations: metadata['annotations'] }), labels } };
}

function object(name: string, of: { name: string; namespace: string }, spec: object): CiliumNetworkPolicy {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: {
      name,
      namespace: of.namespace,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [POLICY_LABEL]: of.name },
      annotations: { [RENDERED_FROM]: `CrossClusterPolicy ${of.name}` },
    },
    spec,
  };
}

/** Pods of another (or the same) cluster, as seen from a policy. */
function peer({ cluster, namespace, labels }: PolicySide, ciliumName: (cluster: string) => string): { matchLabels: Record<string, string> } {
  return { matchLabels: { ...prefixed(labels), [K8S + NAMESPACE_LABEL]: namespace, [K8S + CLUSTER_LABEL]: ciliumName(cluster) } };
}

/** The pods that the policy is about. Their namespace is the policy's own; the cluster is named all the same, as in the article. */
function selected({ cluster, labels }: PolicySide, ciliumName: (cluster: string) => string): { matchLabels: Record<string, string> } {
  return { matchLabels: { ...prefixed(labels), [K8S + CLUSTER_LABEL]: ciliumName(cluster) } };
}

function prefixed(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [K8S + key, value]));
}

function ports(wanted: PolicyPort[]): { ports: { port: string; protocol: string }[] }[] {
  return [{ ports: wanted.map(({ port, protocol }) => ({ port: String(port), protocol })) }];
}
