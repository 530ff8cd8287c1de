import type { Phase } from '../../domain/status.js';
import { acts } from '../activityProxies.js';
import { CHAIN } from './chain.js';
import { CLEAN } from './clean.js';
import { giveBack, guard, ROLLOUT } from './common.js';
import type { Migration } from './migration.js';
import { enforce, finalise, install, label, preflight, prove, take } from './onward.js';
import { refreshNodes } from './refresh.js';
import type { Route } from './route.js';

/** The migration: nodes of aws-node are replaced by nodes on Cilium. Why it is this order: docs/guide.md. */
export const FORWARD: Route = {
  toward: 'cilium',
  phases: [
    ['preflight', preflight],
    ['take', take],
    ['guard', guard],
    ['label', label],
    ['restrict', restrict],
    ['install', install],
    ['refresh', refreshNodes],
    ['prove', prove],
    ['enforce', enforce],
    ['soak', soak],
    ['remove', remove],
    ['finalise', finalise],
    ['give-back', giveBack],
  ],
  unattended: ['restrict', 'install'],
  strategies: { chain: CHAIN, clean: CLEAN },
  async takeBack({ book, target }) {
    if (!UNWOUND.includes(book.phase)) return undefined;
    return (await acts.unwindInstall({ target })).why;
  },
};

/** In these phases a run that ends leaves no node on Cilium behind, or at most late ones: unwindInstall looks. */
const UNWOUND: Phase[] = ['label', 'restrict', 'install'];

async function restrict(migration: Migration): Promise<string> {
  const { target } = migration;
  const { how, updateId } = await migration.step(() => acts.restrictAwsNode({ target }));
  await migration.lookWithin(ROLLOUT, (known) => acts.lookAwsNodeRestricted({ target, known, updateId }));
  // A node that joined on aws-node meanwhile would lose it: it is labelled before Cilium may see it.
  const late = await migration.step(() => acts.labelNodes({ target }));
  await migration.look((known) => acts.lookAwsNodeRestricted({ target, known, updateId }));
  return `aws-node confined to cni-plugin=aws (${how}); ${late.labelled} late nodes labelled`;
}

async function soak(migration: Migration): Promise<string> {
  const since = Date.now();
  await migration.soak('soakSeconds');
  return `${Math.round((Date.now() - since) / 1000)} s`;
}

async function remove(migration: Migration): Promise<string> {
  const { target } = migration;
  const look = async () => {
    const seen = await migration.look((known) => acts.lookProven({ target, known }));
    return { digest: seen.digest, shows: seen.proofs };
  };
  await migration.gate('before-removal', look);
  await look();
  const { removed } = await migration.step(() => acts.removeAwsNode({ target }));
  await migration.look((known) => acts.lookAwsNodeGone({ target, known }));
  return removed.length > 0 ? `removed ${removed.join(', ')}` : 'nothing left to remove';
}

