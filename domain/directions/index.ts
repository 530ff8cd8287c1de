import type { Direction, Toward } from './direction.js';
import { toAwsNode } from './toAwsNode.js';
import { toCilium } from './toCilium.js';

export { countsAfter, isOld, oldSelector } from './direction.js';
export type { Direction, Toward } from './direction.js';

const DIRECTIONS: Record<Toward, Direction> = { cilium: toCilium, 'aws-node': toAwsNode };

/** The direction of a run; absent: to Cilium. */
export function directionOf({ toward }: { toward?: Toward | undefined }): Direction {
  return DIRECTIONS[toward ?? 'cilium'];
}
