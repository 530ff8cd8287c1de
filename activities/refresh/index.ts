import type { Activities } from '../api.js';
import type { ClientPool } from '../clients/index.js';
import { autoScalingGroup } from './autoScalingGroup.js';
import type { RefreshDeps } from './deps.js';
import { lookDrained } from './drain.js';
import { nextNode } from './nextNode.js';
import { observeNode } from './observeNode.js';
import { lookReplacement } from './replacement.js';
import { lookRoom } from './room.js';
import { lookNodeGone, lookTerminated, terminateNode } from './terminate.js';
import { lookWorkloads } from './workloads.js';

type RefreshActivities = Pick<
  Activities,
  'nextNode' | 'observeNode' | 'lookRoom' | 'lookDrained' | 'terminateNode' | 'lookTerminated' | 'lookNodeGone' | 'lookReplacement' | 'lookWorkloads'
>;

/** The activities that replace one node. Cordon and release stand with the guards (activities/kubernetes). */
export function createRefreshActivities({ pool }: { pool: ClientPool }): RefreshActivities {
  const deps: RefreshDeps = { pool, driver: autoScalingGroup };
  return {
    nextNode: nextNode(deps),
    observeNode: observeNode(deps),
    lookRoom: lookRoom(deps),
    lookDrained: lookDrained(deps),
    terminateNode: terminateNode(deps),
    lookTerminated: lookTerminated(deps),
    lookNodeGone: lookNodeGone(deps),
    lookReplacement: lookReplacement(deps),
    lookWorkloads: lookWorkloads(deps),
  };
}
