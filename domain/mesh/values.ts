import { layers } from '../cilium/valueTree.js';
import type { Exposure } from '../spec/mesh.js';
import type { HelmValues } from '../spec/schema.js';

/** How a cluster's clustermesh-apiserver is reached by the others. */
export interface Peer {
  name: string;
  port: number;
  /** A DNS name, which the peer's certificate carries; or addresses, for which the chart makes a name of its own. */
  hostname?: string;
  ips?: string[];
}

export const NODE_PORT = 32_379;
export const ETCD_PORT = 2_379;
/** Charts before it have no certificates by `tls.auto` that fit here, and fail on peers without certificates. */
export const FIRST_MINOR = 14;

/** Read by the AWS Load Balancer Controller: internal, and straight to the pods, which have addresses of the VPC. */
const NLB: HelmValues = {
  'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal',
  'service.beta.kubernetes.io/aws-load-balancer-type': 'external',
  'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip',
};

export interface MeshValuesInput {
  expose: Exposure;
  /** DNS names of this cluster's own load balancer, for its certificate; known once it is exposed. */
  ownNames: string[];
  /** The other clusters; null while nobody is exposed yet. */
  peers: Peer[] | null;
  /** Networks of all clusters in one, where this cluster masquerades: what stays inside is not rewritten. */
  nativeCidr: string | null;
  /** Short digest of a CA that took the place of another: as annotation of the pods it makes every one of them read it. */
  rotatedCa: string | null;
}

/**
 * The Helm values that connect a cluster, to be laid over those of the migration; checked by rendering charts 1.15.19, 1.18.12 and
 * 1.20.0. Peers are a list, which every chart takes (1.19 on also a map). Certificates are made by Helm from Secret cilium-ca.
 */
export function meshValues(input: MeshValuesInput): HelmValues {
  const { expose, ownNames, peers, nativeCidr } = input;
  const service: HelmValues = expose === 'nlb' ? { type: 'LoadBalancer', annotations: NLB } : { type: 'NodePort', nodePort: NODE_PORT };
  return layers(
    {
      clustermesh: {
        useAPIServer: true,
        apiserver: {
          service,
          tls: { auto: { enabled: true, method: 'helm' }, ...(ownNames.length === 0 ? {} : { server: { extraDnsNames: [...ownNames].sort() } }) },
        },
      },
    },
    peers === null ? {} : { clustermesh: { config: { enabled: true, clusters: byName(peers).map(peerValue) } } },
    nativeCidr === null ? {} : { ipv4NativeRoutingCIDR: nativeCidr },
    rolled(input.rotatedCa),
  );
}

function byName(peers: readonly Peer[]): Peer[] {
  return [...peers].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function peerValue({ name, port, hostname, ips }: Peer): HelmValues {
  return hostname === undefined ? { name, port, ips: [...(ips ?? [])].sort() } : { name, port, address: hostname };
}

function rolled(ca: string | null): HelmValues {
  if (ca === null) return {};
  const podAnnotations = { 'ciliate.io/mesh-ca': ca };
  return { podAnnotations, operator: { podAnnotations }, clustermesh: { apiserver: { podAnnotations } } };
}
