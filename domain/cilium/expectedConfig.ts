import { AGENT_NOT_READY_TAINT } from '../names.js';
import { chartProfile } from './charts/index.js';
import { datapathOf } from './datapaths/index.js';
import { absentOr, exactly } from './expectedKey.js';
import type { ExpectedKey } from './expectedKey.js';
import { isMixed } from './values.js';
import type { ValuesInput } from './values.js';
import { at } from './valueTree.js';

/**
 * What cilium-config must say in a phase (cilium-on-eks.md 1.5). Helm never refuses an unknown or misspelt value, so only what is
 * rendered proves anything; a key that is not there fails (closed), except where its absence is the chart's way to say no.
 */
export function expectedConfig(input: ValuesInput): ExpectedKey[] {
  const { cilium, clusterName, phase } = input;
  const { routing, kubeProxyReplacementOff } = chartProfile(cilium.version);
  return [
    exactly(routing.configKey, routing.value),
    exactly('enable-endpoint-routes', 'true'),
    exactly('auto-direct-node-routes', 'false'),
    exactly('install-no-conntrack-iptables-rules', 'false'),
    exactly('enable-ipv4', 'true'),
    exactly('enable-ipv6', 'false'),
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
    { key: 'cni-chaining-target', expected: 'nothing', holds: (seen) => seen === undefined },
    ...datapathOf(input).config(input),
  ];
}

function policy({ cilium, phase }: ValuesInput): ExpectedKey[] {
  const user = at(cilium.values, 'policyEnforcementMode');
  return [exactly('enable-policy', isMixed(phase) ? 'never' : typeof user === 'string' ? user : 'default')];
}
