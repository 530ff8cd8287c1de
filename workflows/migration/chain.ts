import { acts } from '../activityProxies.js';
import { cilium, giveBack, PROOF } from './common.js';
import type { Migration } from './migration.js';
import { install, preflight, take } from './onward.js';
import { restartPods } from './restart.js';
import type { Route } from './route.js';

/**
 * Strategy chain: Cilium on every node beside aws-node, which goes on to give addresses. No node is replaced; pods that ran before
 * become Cilium's by a restart. Nothing is enforced until every pod is known. Why it is this order: docs/adr/0014.
 */
export const CHAIN: Route = {
  toward: 'cilium',
  phases: [
    ['preflight', preflight],
    ['take', take],
    ['install', install],
    ['restart', restartPods],
    ['prove', prove],
    ['enforce', enforce],
    ['give-back', giveBack],
  ],
  unattended: [],
  takeBack({ book }) {
    const installed = book.phases.some(({ phase }) => phase === 'install');
    return Promise.resolve(installed && book.phase !== 'give-back' ? 'Cilium stays chained where it was installed; the same start goes on from here' : undefined);
  },
};

async function prove(migration: Migration): Promise<string> {
  const { target } = migration;
  const bare = migration.control.settings.drain.barePods === 'evict';
  const { proofs } = await migration.lookWithin(PROOF, (known) => acts.lookChained({ target, known, bare }));
  migration.note('proofs', proofs);
  return 'both agents on every node, every pod known to Cilium';
}

/** The last values of this way: there is no migration affinity that a further step would drop. */
async function enforce(migration: Migration): Promise<string> {
  await migration.gate('before-enforcement', () => Promise.resolve(migration.plan.enforcement));
  const seen = await cilium(migration, 'final');
  migration.book.finalValues = seen.finalValues;
  migration.note('proofs', [`${seen.agents} Cilium agents and the operator run on the final policy enforcement`]);
  return `policy enforcement on, revision ${seen.revision}, ${seen.agents} agents rolled`;
}
