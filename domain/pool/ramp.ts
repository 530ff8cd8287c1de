/**
 * How far a run has come to trust itself: one node of each group alone, then 1, 2, 4, … at a time. Plain JSON, so that it
 * survives continue-as-new.
 */
export interface Ramp {
  /** False: no canary and no ramp, straight to what the limits allow. */
  canary: boolean;
  /** Groups of which a node was refreshed. */
  proven: string[];
  width: number;
  /** Successes at this width. */
  round: number;
  /** In a row. */
  failures: number;
  /** Too many failures in a row: nothing should start until a person has said so (`resumed`). */
  tripped: boolean;
}

export interface NodeEnded {
  group: string;
  ok: boolean;
  /** Nodes in flight when it ended, itself included. */
  inFlight: number;
  /** What the limits allow: maxSurge + maxUnavailable. */
  most: number;
  limits: FailureLimits;
}

/** Failures in a row that stop a run (`refresh.failuresInARow`). A canary is there to fail before anything else does. */
export interface FailureLimits {
  canary: number;
  later: number;
}

export function startRamp(canary: boolean): Ramp {
  return { canary, proven: [], width: 1, round: 0, failures: 0, tripped: false };
}

/** Groups that still wait for their canary, of those that have nodes to refresh. */
export function awaitingCanary(ramp: Ramp, groups: readonly string[]): string[] {
  return ramp.canary ? groups.filter((group) => !ramp.proven.includes(group)) : [];
}

/** How many nodes may be in flight. `groups`: those with nodes to refresh; one that came late has its canary late. */
export function width(ramp: Ramp, { most, groups }: { most: number; groups: readonly string[] }): number {
  if (!ramp.canary) return most;
  return awaitingCanary(ramp, groups).length > 0 ? Math.min(1, most) : Math.min(ramp.width, most);
}

/**
 * After a node came to its end. A node that was only handed back (pause, abort, an operator's skip) says nothing of the next
 * and does not belong here.
 */
export function afterNode(ramp: Ramp, ended: NodeEnded): Ramp {
  const isCanary = ramp.canary && !ramp.proven.includes(ended.group);
  if (!ended.ok) {
    const failures = ramp.failures + 1;
    const tripped = ramp.tripped || failures >= (isCanary ? ended.limits.canary : ended.limits.later);
    return { ...ramp, width: 1, round: 0, failures, tripped };
  }
  if (isCanary) return { ...ramp, proven: [...ramp.proven, ended.group], failures: 0 };
  return { ...ramp, ...widened(ramp, ended), failures: 0 };
}

/** After a person looked at what tripped it: failures are counted from 0, the width stays where it fell. */
export function resumed(ramp: Ramp): Ramp {
  return { ...ramp, failures: 0, tripped: false };
}

/** A full round of successes doubles the width. What was started before the last failure, at a greater width, proves nothing. */
function widened(ramp: Ramp, { inFlight, most }: NodeEnded): Pick<Ramp, 'width' | 'round'> {
  const { width, round } = ramp;
  if (!ramp.canary || inFlight > width || width >= most) return { width, round: 0 };
  return round + 1 >= width ? { width: Math.min(width * 2, most), round: 0 } : { width, round: round + 1 };
}
