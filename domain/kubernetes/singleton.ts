/** A Deployment one of whose pods is about to be evicted. */
export interface SingletonSeen {
  replicas: number;
  /** Since when we have it scaled up for this node (ISO 8601), by the ledger. */
  surgedAt?: string;
  /** Another node's drain has it scaled up. */
  surgedByOthers: boolean;
  /** A HorizontalPodAutoscaler that decides on its replicas. */
  autoscaler?: string;
  /** The pod holds a volume claim, which its twin on another node could not hold as well. */
  claims: boolean;
  /** Ready pods of it on other nodes. */
  readyElsewhere: number;
}

export type SingletonVerdict = { act: 'evict'; note?: string } | { act: 'surge' } | { act: 'wait'; reason: string };

/** So soon after our scaling, a replica count of 1 is only not there yet; later somebody else wants it so. */
const OURS_MS = 30_000;

/** What drain.surgeSingletons does with it before its pod is evicted. */
export function singletonVerdict(seen: SingletonSeen, now: number): SingletonVerdict {
  const { replicas, surgedAt, autoscaler, claims } = seen;
  if (seen.surgedByOthers) return { act: 'wait', reason: 'the drain of another node has it scaled up just now' };
  if (surgedAt !== undefined && replicas > 1) {
    return seen.readyElsewhere > 0 ? { act: 'evict' } : { act: 'wait', reason: `it was scaled to ${replicas}, and the new replica is not Ready yet` };
  }
  if (replicas !== 1) return { act: 'evict' };
  if (surgedAt !== undefined) {
    const back = now - Date.parse(surgedAt) > OURS_MS;
    return back ? { act: 'evict', note: 'was not surged: somebody scales it back to 1' } : { act: 'surge' };
  }
  if (autoscaler !== undefined) return { act: 'evict', note: `was not surged: HorizontalPodAutoscaler ${autoscaler} decides on its replicas` };
  if (claims) return { act: 'evict', note: 'was not surged: its pod holds a volume claim' };
  return { act: 'surge' };
}

/** Whether drain.surgeSingletons reaches a workload of one replica, as far as it can be told before. */
export function surgeable({ kind, autoscaler, claims }: { kind: string; autoscaler?: string; claims: boolean }): boolean {
  return kind === 'Deployment' && autoscaler === undefined && !claims;
}
