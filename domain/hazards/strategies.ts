import type { Strategy } from '../spec/words.js';

/** Where new nodes come up on Cilium in ENI mode, and old ones go. */
export const REPLACES_NODES: readonly Strategy[] = ['replace', 'clean'];
