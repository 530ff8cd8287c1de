import type { Pod } from './types.js';

/**
 * Whether Cilium is chained on the VPC CNI: its operator is the build that gives no addresses. Both agents then belong on a node;
 * a pod has its address from the one and its endpoint from the other.
 */
export function isChained(pods: Iterable<Pod>): boolean {
  for (const { metadata, spec } of pods) {
    if (metadata.labels?.['io.cilium/app'] === 'operator' && spec.containers?.some(({ image }) => image?.includes('operator-generic'))) return true;
  }
  return false;
}
