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
  operatorImage: 'operator-generic',
  besideAwsNode: true,
};
