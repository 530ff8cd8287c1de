import { AGENT_NOT_READY_TAINT } from '../names.js';
import { chartProfile } from './charts/index.js';
import { isMixed } from './values.js';
import type { ValuesInput } from './values.js';
import { at } from './valueTree.js';

/** What one key of ConfigMap cilium-config must say. */
export interface ExpectedKey {
  key: string;
  /** In words, for the finding. */
  expected: string;
  holds: (value: string | undefined) => boolean;
}

const exactly = (key: string, value: string): ExpectedKey => ({ key, expected: JSON.stringify(value), holds: (seen) => seen === value });
const absentOr = (key: string, value: string): ExpectedKey => ({
  key,
  expected: `${JSON.stringify(value)} or nothing`,
  holds: (seen) => seen === undefined || seen === value,
});

/**
 * What cilium-config must say in a phase (cilium-on-eks.md 1.5). Helm never refuses an unknown or misspelt value, so only what is
 * rendered proves anything; a key that is not there fails (closed), except where its absence is the chart's way to say no.
 */
export function expectedConfig(input: ValuesInput): ExpectedKey[] {
  const { cilium, clusterName, phase, facts } = input;
  const { routing, kubeProxyReplacementOff } = chartProfile(cilium.version);
  return [
    exactly('ipam', 'eni'),
    exactly(routing.configKey, routing.value),
    exactly('enable-endpoint-routes', 'true'),
    exactly('auto-direct-node-routes', 'false'),
    exactly('install-no-conntrack-iptables-rules', 'false'),
    exactly('auto-create-cilium-node-resource', 'true'),
    exactly('enable-ipv4', 'true'),
    exactly('enable-ipv6', 'false'),
    exactly('enable-ipv4-masquerade', String(facts.masquerade.enabled)),
    ...interfaces(input),
    exactly('cluster-name', clusterName),
    { key: 'cluster-name', expected: 'at most 32 of a-z, 0-9 and -', holds: (name) => /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name ?? '') },
    exactly('cluster-id', String(cilium.clusterId ?? 0)),
    exactly('kube-proxy-replacement', kubeProxyReplacementOff),
    absentOr('enable-bpf-masquerade', 'false'),
    ...policy(input),
    isMixed(phase) || at(cilium.values, 'operator.unmanagedPodWatcher.restart') === false
      ? exactly('unmanaged-pod-watcher-interval', '0')
      : { key: 'unmanaged-pod-watcher-interval', expected: 'an interval above 0', holds: (seen) => /^[1-9]\d*s?$/.test(seen ?? '') },
    exactly('identity-allocation-mode', 'crd'),
    absentOr('disable-endpoint-crd', 'false'),
    exactly('agent-not-ready-taint-key', AGENT_NOT_READY_TAINT),
    exactly('remove-cilium-node-taints', 'true'),
    exactly('set-cilium-is-up-condition', 'true'),
    ...chaining(input),
    ...prefixes(input),
  ];
}

function interfaces({ facts: { masquerade } }: ValuesInput): ExpectedKey[] {
  if (!masquerade.enabled || masquerade.interfaces === undefined) return [];
  return [exactly('egress-masquerade-interfaces', masquerade.interfaces)];
}

function policy({ cilium, phase }: ValuesInput): ExpectedKey[] {
  const user = at(cilium.values, 'policyEnforcementMode');
  return [exactly('enable-policy', isMixed(phase) ? 'never' : typeof user === 'string' ? user : 'default')];
}

function chaining({ cilium }: ValuesInput): ExpectedKey[] {
  const portmap = at(cilium.values, 'cni.chainingMode') === 'portmap';
  return [portmap ? exactly('cni-chaining-mode', 'portmap') : absentOr('cni-chaining-mode', 'none'), exactlyAbsent('cni-chaining-target')];
}

function prefixes({ cilium, facts }: ValuesInput): ExpectedKey[] {
  const wanted = at(cilium.values, 'eni.awsEnablePrefixDelegation') ?? facts.prefixDelegation;
  return [wanted === true ? exactly('aws-enable-prefix-delegation', 'true') : absentOr('aws-enable-prefix-delegation', 'false')];
}

function exactlyAbsent(key: string): ExpectedKey {
  return { key, expected: 'nothing', holds: (seen) => seen === undefined };
}
