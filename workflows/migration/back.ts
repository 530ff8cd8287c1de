import { acts } from '../activityProxies.js';
import { BACK_OFF_CHAIN } from './backOffChain.js';
import { ciliumRequest, ROLLOUT } from './common.js';
import { FROM_REFRESH, UNTIL_CONFINED } from './homeward.js';
import type { Migration } from './migration.js';
import type { Route } from './route.js';

/**
 * The way back: nodes of Cilium are replaced by nodes on aws-node, from wherever a migration has come. Every phase converges, so one
 * order serves every beginning; what is not needed writes nothing. Why it is this order: docs/adr/0008.
 */
export const BACK: Route = {
  toward: 'aws-node',
  phases: [...UNTIL_CONFINED, ['restore', restore], ...FROM_REFRESH],
  unattended: ['confine', 'restore'],
  strategies: { chain: BACK_OFF_CHAIN },
  async takeBack(migration) {
    const { phase } = migration.book;
    if (phase === 'quiet' || phase === 'mark') return "Cilium's policy enforcement is off until a start or a rollback goes on";
    if (!this.unattended.includes(phase)) return undefined;
    return (await acts.reopenCilium(ciliumRequest(migration, 'migration'))).why;
  },
};

/** From Cilium's confinement to here a new node has no CNI. */
async function restore(migration: Migration): Promise<string> {
  const { target } = migration;
  const { how, updateId } = await migration.step(() => acts.restoreAwsNode({ target }));
  await migration.lookWithin(ROLLOUT, (known) => acts.lookAwsNodeRestored({ target, known, saved: false, updateId }));
  return `aws-node comes to new nodes (${how})`;
}
