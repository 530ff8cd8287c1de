import { FROM_REFRESH, UNTIL_CONFINED } from './homeward.js';
import type { Route } from './route.js';

/**
 * The way back from a chain: nodes with both agents are replaced by nodes on aws-node alone. aws-node is on every node all the time, so
 * nothing of it is restored, and no new node is ever without a CNI. Why nodes are replaced at all: docs/adr/0014.
 */
export const BACK_OFF_CHAIN: Route = {
  toward: 'aws-node',
  chained: true,
  phases: [...UNTIL_CONFINED, ...FROM_REFRESH],
  unattended: [],
  takeBack({ book }) {
    if (!book.phases.some(({ phase }) => phase === 'quiet') || book.phase === 'give-back') return Promise.resolve(undefined);
    const fresh = book.phases.some(({ phase }) => phase === 'confine') ? 'new nodes come up on aws-node alone, old ones keep both; ' : '';
    return Promise.resolve(`${fresh}Cilium's policy enforcement is off until a start or a rollback goes on`);
  },
};
