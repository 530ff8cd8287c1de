import type { Strategy } from '../spec/words.js';

/** Where aws-node is confined to labelled nodes; elsewhere it stays as it is, or goes at once. */
export const CONFINES: readonly Strategy[] = ['replace'];

/** Where new nodes come up on Cilium in ENI mode, and old ones go. */
export const REPLACES_NODES: readonly Strategy[] = ['replace', 'clean'];
