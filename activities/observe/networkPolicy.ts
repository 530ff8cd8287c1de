import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '@kubernetes/client-node';
import type { NetworkPolicyRule, ObservedNetworkPolicy } from '../../domain/policy/networkPolicies.js';

/** A NetworkPolicy as the rules of domain/policy read it. */
export function observedNetworkPolicy({ metadata, spec }: V1NetworkPolicy): ObservedNetworkPolicy {
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    // An absent selector is an empty one here: every pod of the namespace.
    podSelector: (spec?.podSelector ?? {}) as ObservedNetworkPolicy['podSelector'],
    ...(spec?.policyTypes === undefined ? {} : { policyTypes: spec.policyTypes }),
    ...(spec?.ingress === undefined ? {} : { ingress: spec.ingress.map(({ _from, ports }) => rule(_from, ports)) }),
    ...(spec?.egress === undefined ? {} : { egress: spec.egress.map(({ to, ports }) => rule(to, ports)) }),
  };
}

function rule(peers: V1NetworkPolicyPeer[] = [], ports: V1NetworkPolicyPort[] = []): NetworkPolicyRule {
  return {
    peers: peers.map(({ ipBlock, podSelector, namespaceSelector }) => ({
      ...(ipBlock === undefined ? {} : { ipBlock: { cidr: ipBlock.cidr } }),
      selects: podSelector !== undefined || namespaceSelector !== undefined,
    })),
    ports: ports.map(({ protocol, port }) => ({ protocol, port: port as number | string | undefined })),
  };
}
