import type { Direction } from './direction.js';
import { toAwsNode } from './toAwsNode.js';

/** The way back from a chain: nodes with both agents are replaced by nodes on aws-node alone. */
export const offChain: Direction = { ...toAwsNode, sharedByOld: true };
