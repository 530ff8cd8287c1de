import type { Direction, Toward, Way } from './direction.js';
import { offChain } from './offChain.js';
import { toAwsNode } from './toAwsNode.js';
import { toCilium } from './toCilium.js';

export { countsAfter, isOld, oldSelector } from './direction.js';
export type { Direction, Toward, Way } from './direction.js';

const DIRECTIONS: Record<Toward, Direction> = { cilium: toCilium, 'aws-node': toAwsNode };

/** The direction of a run. */
export function directionOf({ toward = 'cilium', chained = false }: Way): Direction {
  return toward === 'aws-node' && chained ? offChain : DIRECTIONS[toward];
}
