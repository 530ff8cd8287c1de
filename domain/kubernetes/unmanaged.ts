import type { Blocker } from '../refresh.js';
import type { PodLike } from './resources.js';

/** Names in a blocker before the rest is counted. */
const NAMED = 5;

/** Whether Cilium must know of a pod that is on one of its nodes: it runs, stays, and has an address of its own. */
export function needsEndpoint(pod: PodLike): boolean {
  return pod.spec?.hostNetwork !== true && pod.metadata?.deletionTimestamp === undefined && pod.status?.phase === 'Running';
}

/** Pods that some other CNI networked (`namespace/name`), as a blocker; none where there are none. */
export function unmanagedBlockers(unmanaged: readonly string[], where: string): Blocker[] {
  if (unmanaged.length === 0) return [];
  const named = unmanaged.slice(0, NAMED).join(', ');
  const more = unmanaged.length > NAMED ? ` and ${unmanaged.length - NAMED} more` : '';
  return [{ object: 'Pods', reason: `${unmanaged.length} on ${where} without a CiliumEndpoint: ${named}${more}`, todo: 'If they stay, restart them: kubectl rollout restart, or delete the pod.' }];
}
