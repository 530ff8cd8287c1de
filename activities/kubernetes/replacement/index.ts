import type { Direction, Toward } from '../../../domain/directions/index.js';
import type { Judge } from './judge.js';
import { judgeOnAwsNode } from './onAwsNode.js';
import { judgeOnCilium } from './onCilium.js';

export { lack } from './judge.js';
export type { Judge } from './judge.js';

const JUDGES: Record<Toward, Judge> = { cilium: judgeOnCilium, 'aws-node': judgeOnAwsNode };

/** What makes a good replacement, by the way that the run goes. */
export function judgeOf({ toward }: Direction): Judge {
  return JUDGES[toward];
}
