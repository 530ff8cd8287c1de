import type { Strategy } from '../../spec/words.js';
import { chained } from './chained.js';
import type { Datapath } from './datapath.js';
import { eni } from './eni.js';

export type { Datapath } from './datapath.js';

const DATAPATHS: Record<Strategy, Datapath> = { replace: eni, clean: eni, chain: chained };

/** The datapath that a strategy leads to; absent: `replace`. */
export function datapathOf({ strategy }: { strategy?: Strategy | undefined }): Datapath {
  return DATAPATHS[strategy ?? 'replace'];
}
