import type { NodeRef } from '../plan.js';
import { resolveLimits } from './limits.js';
import type { SurgeLimits } from './limits.js';

export interface Rounds {
  /** How often the time of one node passes, if every node takes the same and none fails. */
  rounds: number;
  /** Most nodes at a time. */
  width: number;
}

/** How a pool goes through its nodes (ramp.ts): with a canary one of each group alone, then 1, 2, 4, …; without one all that the limits allow. */
export function roundsOf(nodes: readonly Pick<NodeRef, 'group'>[], refresh: SurgeLimits & { canary: boolean }): Rounds {
  const { maxSurge, maxUnavailable } = resolveLimits(refresh, nodes.length);
  const most = Math.max(1, maxSurge + maxUnavailable);
  const canaries = refresh.canary ? new Set(nodes.map(({ group }) => group)).size : 0;
  let rounds = canaries;
  let width = refresh.canary ? 1 : most;
  for (let left = nodes.length - canaries; left > 0; rounds++) {
    left -= width;
    width = Math.min(2 * width, most);
  }
  return { rounds, width: Math.min(most, Math.max(1, nodes.length)) };
}

/** `one node after the other`, `10 nodes at a time` */
export function paceText({ width }: Rounds): string {
  return width === 1 ? 'one node after the other' : `${width} nodes at a time`;
}
