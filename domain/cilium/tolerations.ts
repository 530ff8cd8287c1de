import type { Toleration } from './objects.js';

/**
 * What cilium-operator must tolerate to give the first node its network: the defaults of charts from 1.18 on. They also replace
 * the older charts' "tolerates everything" during the migration: that includes the taint of a cordon, and an operator evicted
 * from a node being drained would be scheduled straight back onto it.
 */
export const OPERATOR_TOLERATIONS: readonly Toleration[] = [
  { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
  { key: 'node-role.kubernetes.io/master', operator: 'Exists' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
  { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Exists' },
  { key: 'node.cilium.io/agent-not-ready', operator: 'Exists' },
];

/** Taints that say that a node is on its way out, is broken or is not to be used: never tolerated on purpose. */
const LEAVING = [
  'node.kubernetes.io/unschedulable',
  'node.kubernetes.io/unreachable',
  'node.kubernetes.io/out-of-service',
  'node.kubernetes.io/memory-pressure',
  'node.kubernetes.io/disk-pressure',
  'node.kubernetes.io/pid-pressure',
  'node.kubernetes.io/network-unavailable',
  'node.cloudprovider.kubernetes.io/shutdown',
  'ToBeDeletedByClusterAutoscaler',
  'DeletionCandidateOfClusterAutoscaler',
  'karpenter.sh/disrupted',
  'karpenter.sh/disruption',
  'karpenter.sh/unregistered',
  'eks.amazonaws.com/compute-type',
];

/** Whether a taint belongs to a node group rather than to a node's state, so that the operator should tolerate it. */
export function isGroupTaint(key: string): boolean {
  return !LEAVING.includes(key) && !OPERATOR_TOLERATIONS.some((toleration) => toleration.key === key);
}

/** Whether a pod with these tolerations tolerates any taint of that key. */
export function toleratesKey(tolerations: readonly Toleration[] | undefined, key: string): boolean {
  return (tolerations ?? []).some(
    (toleration) =>
      toleration.operator === 'Exists' && (toleration.effect ?? '') === '' && (toleration.key === undefined || toleration.key === '' || toleration.key === key),
  );
}

/** Whether a pod with these tolerations tolerates everything. */
export function toleratesEverything(tolerations: readonly Toleration[] | undefined): boolean {
  return (tolerations ?? []).some((toleration) => (toleration.key ?? '') === '' && toleration.operator === 'Exists' && (toleration.effect ?? '') === '');
}
