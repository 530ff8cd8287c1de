import type { FaultRule } from '../../lab/index.js';

/**
 * Where a worker is killed: the request that was under way, held in the front, before or after the server did it. `after`
 * is the nastier half: the effect is there and nobody heard of it.
 */
export interface KillPoint {
  name: string;
  rule: FaultRule;
  /** Only where the VPC CNI is an EKS add-on, or only where it is not. */
  only?: 'addon' | 'selfmanaged';
}

const kube = (method: string, path: string, rest: Partial<FaultRule> = {}): FaultRule => ({ target: 'kubernetes', method, path, hold: true, count: 1, ...rest });
const aws = (action: string, rest: Partial<FaultRule> = {}): FaultRule => ({ target: 'aws', action, hold: true, count: 1, ...rest });
const NODES = '/api/v1/nodes/[^/]+';
const helm = (path: string, rest: Partial<FaultRule> = {}): FaultRule => kube('POST|PATCH|PUT', path, { client: '[Hh]elm', ...rest });

const RELEASE = (revision: string): string => `sh\\.helm\\.release\\.v1\\.cilium\\.v${revision}\\b`;

/** In the order in which a migration passes them. */
export const KILL_POINTS: KillPoint[] = [
  { name: 'the Lease taken, nobody heard', rule: kube('POST', '/leases', { phase: 'after', body: '"name":\\s*"ciliate"' }) },
  { name: 'in the middle of labelling (2nd node)', rule: kube('PATCH', NODES, { phase: 'after', body: 'cni-plugin', nth: 2 }) },
  { name: 'before the affinity patch', only: 'selfmanaged', rule: kube('PATCH', '/daemonsets/aws-node') },
  { name: 'after the affinity patch', only: 'selfmanaged', rule: kube('PATCH', '/daemonsets/aws-node', { phase: 'after' }) },
  { name: 'before UpdateAddon', only: 'addon', rule: aws('UpdateAddon') },
  { name: 'after UpdateAddon', only: 'addon', rule: aws('UpdateAddon', { phase: 'after' }) },
  { name: 'helm install: release Secret written, nothing else', rule: helm('/namespaces/kube-system/secrets', { phase: 'after', body: RELEASE('1') }) },
  { name: 'helm install: before the DaemonSet', rule: helm('/daemonsets') },
  { name: 'before the cordon', rule: kube('PATCH', NODES, { body: 'unschedulable' }) },
  { name: 'after the cordon', rule: kube('PATCH', NODES, { body: 'unschedulable', phase: 'after' }) },
  { name: 'before an eviction', rule: kube('POST', '/eviction') },
  { name: 'after an eviction', rule: kube('POST', '/eviction', { phase: 'after', nth: 2 }) },
  { name: 'before the termination', rule: aws('TerminateInstanceInAutoScalingGroup') },
  { name: 'after the termination', rule: aws('TerminateInstanceInAutoScalingGroup', { phase: 'after', nth: 2 }) },
  { name: 'helm upgrade: release Secret written', rule: helm('/namespaces/kube-system/secrets', { phase: 'after', body: RELEASE('2') }) },
  { name: 'before DeleteAddon', only: 'addon', rule: aws('DeleteAddon') },
  { name: 'after DeleteAddon', only: 'addon', rule: aws('DeleteAddon', { phase: 'after' }) },
  { name: 'before the DaemonSet aws-node is deleted', only: 'selfmanaged', rule: kube('DELETE', '/daemonsets/aws-node') },
  { name: 'after the DaemonSet aws-node is deleted', only: 'selfmanaged', rule: kube('DELETE', '/daemonsets/aws-node', { phase: 'after' }) },
  { name: 'before the Lease is given back', rule: kube('DELETE', '/leases/ciliate') },
];

/** In the order in which a rollback passes them. */
export const ROLLBACK_KILL_POINTS: KillPoint[] = [
  { name: 'the Lease taken, nobody heard', rule: kube('POST', '/leases', { phase: 'after', body: '"name":\\s*"ciliate"' }) },
  { name: 'in the middle of marking (2nd node)', rule: kube('PATCH', NODES, { phase: 'after', body: 'ciliate.io~1cni', nth: 2 }) },
  { name: 'helm upgrade: Cilium confined, nobody heard', rule: helm('/daemonsets/cilium(\\?|$)', { phase: 'after', body: 'ciliate\\.io/cni' }) },
  { name: "before aws-node's affinity", only: 'selfmanaged', rule: kube('PATCH|POST', '/daemonsets(/aws-node)?(\\?|$)', { body: 'ciliate\\.io/cni' }) },
  { name: "after aws-node's affinity", only: 'selfmanaged', rule: kube('PATCH|POST', '/daemonsets(/aws-node)?(\\?|$)', { phase: 'after', body: 'ciliate\\.io/cni' }) },
  { name: 'before UpdateAddon or CreateAddon', only: 'addon', rule: aws('UpdateAddon|CreateAddon') },
  { name: 'after UpdateAddon or CreateAddon', only: 'addon', rule: aws('UpdateAddon|CreateAddon', { phase: 'after' }) },
  { name: 'after the cordon', rule: kube('PATCH', NODES, { body: 'unschedulable', phase: 'after' }) },
  { name: 'after an eviction', rule: kube('POST', '/eviction', { phase: 'after' }) },
  { name: 'before the termination', rule: aws('TerminateInstanceInAutoScalingGroup') },
  { name: 'after the termination', rule: aws('TerminateInstanceInAutoScalingGroup', { phase: 'after' }) },
  { name: 'helm uninstall: in the middle', rule: kube('DELETE', '/daemonsets/cilium(\\?|$)', { client: '[Hh]elm', phase: 'after' }) },
  { name: "labels: after the first one is off", rule: kube('PATCH', NODES, { phase: 'after', body: '"remove","path":"/metadata/labels/cni-plugin"' }) },
  { name: 'before the CNI ledger goes', rule: kube('DELETE', '/configmaps/ciliate-cni') },
  { name: 'before the Lease is given back', rule: kube('DELETE', '/leases/ciliate') },
];

export function killPointsOf(awsNode: 'addon' | 'selfmanaged'): KillPoint[] {
  return KILL_POINTS.filter((point) => point.only === undefined || point.only === awsNode);
}
