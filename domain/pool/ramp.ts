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
  /** In a row; one that went well after all is taken back. */
  failures: number;
  /** Which these were. Absent in runs that were begun before this. */
  failed?: Failed[];
  /** Too many failures: nothing should start until a person has said so (`resumed`), or some of them went well after all (`recovered`). */
  tripped: boolean;
}

interface Failed {
  node: string;
  group: string;
}

export interface NodeEnded {
  /** Instance id. */
  node: string;
  group: string;
  ok: boolean;
  /** Nodes in flight when it ended, itself included. */
  inFlight: number;
  /** Of these, nodes that have failed and hold their places still. Absent: none. */
  failing?: number;
  /** Others that are still to be started. Absent: some. */
  left?: number;
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

/** How many nodes may be in flight beside those that fail. `groups`: those with nodes to refresh; one that came late has its canary late. */
export function width(ramp: Ramp, { most, groups }: { most: number; groups: readonly string[] }): number {
  if (!ramp.canary) return most;
  return awaitingCanary(ramp, groups).length > 0 ? Math.min(1, most) : Math.min(ramp.width, most);
}

/** Nodes that may be in flight, with those that fail: they wait for a person, and hold up the others only where the limits are used up. */
export function room(ramp: Ramp, { most, groups, failing }: { most: number; groups: readonly string[]; failing: number }): number {
  return Math.min(width(ramp, { most, groups }) + failing, most);
}

/**
 * After a node came to its end, or failed and waits for a person: once each. A node that was only handed back (pause, abort, an
 * operator's skip) says nothing of the next and does not belong here.
 */
export function afterNode(ramp: Ramp, ended: NodeEnded): Ramp {
  if (!ended.ok) {
    const row = { failures: ramp.failures + 1, failed: [...(ramp.failed ?? []), { node: ended.node, group: ended.group }] };
    return { ...ramp, width: 1, round: 0, ...row, tripped: ramp.tripped || isTooMuch({ ...ramp, ...row }, ended) };
  }
  // What the run has stopped for is not undone by others that were in flight.
  const row = ramp.tripped ? {} : NONE;
  if (isCanary(ramp, ended)) return { ...ramp, proven: [...ramp.proven, ended.group], ...row };
  return { ...ramp, ...widened(ramp, ended), ...row };
}

/**
 * One that had failed went well after all. Where its failure is one of the row it is taken back, and what the run has stopped for
 * may be gone with it; where the row has begun anew since, it is a success like any other.
 */
export function recovered(ramp: Ramp, ended: NodeEnded): Ramp {
  const failed = (ramp.failed ?? []).filter(({ node }) => node !== ended.node);
  if (failed.length === (ramp.failed ?? []).length) return afterNode(ramp, ended);
  const without = { ...ramp, failed, failures: failed.length };
  return afterNode({ ...without, tripped: ramp.tripped && isTooMuch(without, ended) }, ended);
}

const NONE = { failures: 0, failed: [] };

function isCanary({ canary, proven }: Ramp, { group }: { group: string }): boolean {
  return canary && !proven.includes(group);
}

/** Too many in a row, of canaries fewer; or as many fail as may be missing at all, so that nothing else could start. */
function isTooMuch(ramp: Ramp, { limits, failing = 0, left = 1, most }: NodeEnded): boolean {
  const isOfCanaries = (ramp.failed ?? []).some((failed) => isCanary(ramp, failed));
  return ramp.failures >= (isOfCanaries ? limits.canary : limits.later) || (left > 0 && failing > 0 && failing >= most);
}

/** After a person looked at what tripped it: failures are counted from 0, the width stays where it fell. */
export function resumed(ramp: Ramp): Ramp {
  return { ...ramp, ...NONE, tripped: false };
}

/** A full round of successes doubles the width. What was started before the last failure, at a greater width, proves nothing. */
function widened(ramp: Ramp, { inFlight, failing = 0, most }: NodeEnded): Pick<Ramp, 'width' | 'round'> {
  const { width, round } = ramp;
  if (!ramp.canary || inFlight - failing > width || width >= most) return { width, round: 0 };
  return round + 1 >= width ? { width: Math.min(width * 2, most), round: 0 } : { width, round: round + 1 };
}
