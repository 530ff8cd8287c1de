import { minor } from '../charts/index.js';
import { absentOr, exactly } from '../expectedKey.js';
import { off, on, only } from '../keyRule.js';
import type { Datapath } from './datapath.js';

/**
 * Chained on the VPC CNI: aws-node gives addresses and routes as before, Cilium adds its programs to each pod's interface. Source NAT
 * stays aws-node's. From 1.15 on the charts say `cni-exclusive`; before, the agent leaves other configurations in place when chained.
 */
export const chained: Datapath = {
  values: () => ({
    cni: { chainingMode: 'aws-cni', exclusive: false },
    enableIPv4Masquerade: false,
    endpointRoutes: { enabled: true },
  }),
  config: ({ cilium }) => [
    exactly('cni-chaining-mode', 'aws-cni'),
    exactly('enable-ipv4-masquerade', 'false'),
    exactly('enable-local-node-route', 'false'),
    exactly('enable-endpoint-health-checking', 'false'),
    minor(cilium.version) < 15 ? absentOr('cni-exclusive', 'false') : exactly('cni-exclusive', 'false'),
    // The charts' default type where encryption is switched on without one.
    absentOr('enable-ipsec', 'false'),
    // Its default, which nothing uses: addresses come from the VPC CNI.
    exactly('ipam', 'cluster-pool'),
  ],
  rules: [
    { path: 'eni', why: 'addresses stay the VPC CNI\'s; ENI mode is spec.strategy: replace', allows: only(null) },
    { path: 'ipam', why: 'addresses stay the VPC CNI\'s', allows: only(null) },
    { path: 'endpointRoutes.enabled', why: 'chaining needs a route for each endpoint', allows: on },
    { path: 'autoDirectNodeRoutes', why: 'the VPC routes; a direct route would bypass it', allows: off },
    { path: 'cni.chainingMode', why: 'spec.strategy: chain sets it', allows: only('aws-cni') },
    { path: 'bpf.hostLegacyRouting', why: "packets must pass the host's routing, where the VPC CNI's rules are", allows: on },
    { path: 'cni.exclusive', why: "an exclusive Cilium would take the VPC CNI's configuration away", allows: off },
    { path: 'encryption.type', why: 'IPsec is limited when chained (cilium#15596): expected wireguard', allows: only('wireguard', null) },
  ],
  reasons: {
    enableIPv4Masquerade: "source NAT stays the VPC CNI's",
    egressMasqueradeInterfaces: "source NAT stays the VPC CNI's",
    affinity: 'an agent belongs on every node, and the way back keeps it off new ones by it',
    'envoy.affinity': 'an Envoy belongs beside every agent, and the way back keeps it off new nodes by it',
    nodeSelector: 'Cilium would know no pod of a node that it leaves out',
    tolerations: 'the agent must tolerate every taint: Cilium would know no pod of a node that it leaves out',
    agent: 'without agents Cilium knows no pod',
    'ipv4.enabled': 'the VPC CNI gives IPv4 addresses: clusters of IPv6 are refused',
    'ipv6.enabled': 'the VPC CNI gives IPv4 addresses: clusters of IPv6 are refused',
    'cni.install': 'without the CNI configuration Cilium knows no pod',
    'encryption.strictMode': 'strict mode drops traffic with pods that were not restarted yet',
    'nodeinit.enabled': 'it would prepare (and re-configure) nodes that the VPC CNI serves',
    'standaloneDnsProxy.enabled': 'proxies are limited when chained (cilium#12454), and this one was never tried so',
    'operator.enabled': "the operator makes Cilium's CustomResourceDefinitions, and tidies up after nodes that are gone",
    'operator.unmanagedPodWatcher.restart': 'true comes by itself after before-enforcement; earlier it deletes CoreDNS pods that were not restarted yet',
    'operator.hostNetwork': 'it must run before any pod is known to Cilium',
    'operator.nodeSelector': 'it must find a place whichever node is away',
    'operator.affinity.nodeAffinity': 'it must find a place whichever node is away',
  },
  operatorImage: 'operator-generic',
  besideAwsNode: true,
};
