import type { ObservedCluster } from '../observation.js';
import { CHAIN_LIMITS } from '../spec/words.js';
import type { ChainLimit } from '../spec/words.js';

interface Limit {
  /** For a person: what will not work, or not as with Cilium alone. */
  says: string;
  /** Whether it holds for this cluster; absent: always. */
  holds?: (cluster: ObservedCluster) => boolean;
}

/** What chaining cannot do, by what Cilium's and AWS's documentation say (docs/strategies.md has the sources). */
const LIMITS: Record<ChainLimit, Limit> = {
  l7: { says: 'Layer 7 policies are limited: a proxy between two pods of one node may not see their traffic (cilium#12454); policies by DNS name need such a proxy too' },
  ipsec: { says: 'IPsec encryption is limited (cilium#15596), so only WireGuard is taken; that too is unproven here' },
  eni: { says: "Addresses stay the VPC CNI's: max-pods, prefixes, subnets and its limits as today, nothing of Cilium's ENI mode" },
  'host-routing': { says: "Packets go through the host's iptables and routing (enable-host-legacy-routing), so Cilium's faster paths and its kube-proxy replacement for pods bring little" },
  'security-groups': {
    says: "Security groups for pods: the kubelet's probes of such pods were seen to fail (cilium#24943)",
    holds: ({ pods, securityGroupPolicies, awsNode }) => pods.podEni.length > 0 || securityGroupPolicies.length > 0 || awsNode?.env['ENABLE_POD_ENI']?.toLowerCase() === 'true',
  },
  'replace-later': { says: 'Going on to Cilium alone later is not tested by the Cilium project; ciliate refuses it too' },
};

/** The limits that hold for this cluster, in a fixed order. */
export function limitsOf(cluster: ObservedCluster): ChainLimit[] {
  return CHAIN_LIMITS.filter((id) => LIMITS[id].holds?.(cluster) ?? true);
}

/** A limit with what it means. */
export interface LimitSaid {
  id: ChainLimit;
  text: string;
}

export function limitSaid(id: ChainLimit): LimitSaid {
  return { id, text: LIMITS[id].says };
}

/** `l7: Layer 7 policies …` */
export function limitText({ id, text }: LimitSaid): string {
  return `${id}: ${text}`;
}
