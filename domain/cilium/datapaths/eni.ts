import { absentOr, exactly } from '../expectedKey.js';
import type { ExpectedKey } from '../expectedKey.js';
import { off, on, only } from '../keyRule.js';
import type { ValuesInput } from '../values.js';
import { at, layers } from '../valueTree.js';
import type { Datapath } from './datapath.js';

/** ENI mode: the operator gives nodes interfaces and addresses, aws-node is not needed. */
export const eni: Datapath = {
  values({ cilium, facts }) {
    const prefixes = at(cilium.values, 'eni.awsEnablePrefixDelegation') ?? facts.prefixDelegation;
    return layers(
      {
        // Set even where the chart's default says the same: a default that moves with the chart (masquerade at 1.18) is a trap.
        eni: { enabled: true, ...(prefixes === false ? {} : { awsEnablePrefixDelegation: prefixes }) },
        ipam: { mode: 'eni' },
        enableIPv4Masquerade: facts.masquerade.enabled,
      },
      facts.masquerade.enabled && facts.masquerade.interfaces !== undefined ? { egressMasqueradeInterfaces: facts.masquerade.interfaces } : {},
    );
  },
  config: (input) => [
    exactly('ipam', 'eni'),
    exactly('auto-create-cilium-node-resource', 'true'),
    exactly('enable-ipv4-masquerade', String(input.facts.masquerade.enabled)),
    ...interfaces(input),
    ...portmap(input),
    ...prefixes(input),
  ],
  rules: [
    { path: 'eni.enabled', why: 'the migration is to ENI mode', allows: on },
    { path: 'ipam.mode', why: 'the migration is to ENI mode', allows: only('eni') },
    { path: 'endpointRoutes.enabled', why: 'ENI mode needs a route for each endpoint', allows: on },
    { path: 'autoDirectNodeRoutes', why: 'in ENI mode the VPC routes; a direct route would bypass it', allows: off },
    { path: 'cni.chainingMode', why: 'only portmap can be chained in ENI mode; aws-cni is spec.strategy: chain', allows: only('none', 'portmap', null) },
  ],
  reasons: {},
  operatorImage: 'operator-aws',
  besideAwsNode: false,
};

function interfaces({ facts: { masquerade } }: ValuesInput): ExpectedKey[] {
  if (!masquerade.enabled || masquerade.interfaces === undefined) return [];
  return [exactly('egress-masquerade-interfaces', masquerade.interfaces)];
}

function portmap({ cilium }: ValuesInput): ExpectedKey[] {
  return [at(cilium.values, 'cni.chainingMode') === 'portmap' ? exactly('cni-chaining-mode', 'portmap') : absentOr('cni-chaining-mode', 'none')];
}

function prefixes({ cilium, facts }: ValuesInput): ExpectedKey[] {
  const wanted = at(cilium.values, 'eni.awsEnablePrefixDelegation') ?? facts.prefixDelegation;
  return [wanted === true ? exactly('aws-enable-prefix-delegation', 'true') : absentOr('aws-enable-prefix-delegation', 'false')];
}
