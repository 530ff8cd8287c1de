/** A number of nodes, or a share of them such as `25%`. */
export type NodeLimit = number | string;

export interface SurgeLimits {
  maxSurge: NodeLimit;
  maxUnavailable: NodeLimit;
}

/** The same in nodes. */
export interface ResolvedLimits {
  maxSurge: number;
  maxUnavailable: number;
}

const WRITTEN = /^(\d{1,6})(%?)$/;

/**
 * The limits in nodes, with the meaning that they have in a Deployment: surge is rounded up, unavailable down, and where both
 * come to 0 (only percentages can) one node may be unavailable, or nothing would ever move.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function resolveLimits({ maxSurge, maxUnavailable }: SurgeLimits, nodes: number): ResolvedLimits {
  const surge = inNodes(maxSurge, nodes, Math.ceil);
  const unavailable = Math.min(inNodes(maxUnavailable, nodes, Math.floor), nodes);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** What is wrong with a limit as it was typed, or null. More than 100% is refused: no node needs two to replace it. */
export function limitProblem(value: string): string | null {
  const written = WRITTEN.exec(value);
  if (written === null) return `expected a whole number of nodes such as 2, or a percentage such as 25%, not ${JSON.stringify(value)}`;
  return written[2] === '%' && Number(written[1]) > 100 ? `expected at most 100%, not ${value}` : null;
}

/** Whether nothing could ever move, whatever the number of nodes: 0 and 0%, as a Deployment refuses it. */
export function bothZero({ maxSurge, maxUnavailable }: SurgeLimits): boolean {
  return [maxSurge, maxUnavailable].every(isZero);
}

/** What is wrong with limits together with what else a spec asks of groups, or null: the same words for the spec and for `set`. */
export function limitsProblem(limits: SurgeLimits & { shouldDecrementDesiredCapacity?: boolean }): string | null {
  if (bothZero(limits)) return 'expected maxSurge or maxUnavailable to be more than 0: nothing could ever move';
  return limits.shouldDecrementDesiredCapacity === true && !isZero(limits.maxSurge) ? 'expected maxSurge 0 with shouldDecrementDesiredCapacity: groups cannot grow and shrink at once' : null;
}

function isZero(limit: NodeLimit): boolean {
  return parseInt(String(limit), 10) === 0;
}

/** @throws RangeError for what `limitProblem` refuses: specs and commands are checked before they get here. */
function inNodes(limit: NodeLimit, nodes: number, round: (value: number) => number): number {
  const problem = limitProblem(String(limit));
  if (problem !== null) throw new RangeError(problem);
  const [, digits, percent] = WRITTEN.exec(String(limit)) ?? [];
  return percent === '%' ? round((Number(digits) * nodes) / 100) : Number(digits);
}
