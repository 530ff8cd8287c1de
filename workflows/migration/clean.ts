import { acts } from '../activityProxies.js';
import { giveBack, guard, ROLLOUT } from './common.js';
import { finalise, install, label, preflight, prove, take } from './onward.js';
import type { Migration } from './migration.js';
import { refreshNodes } from './refresh.js';
import { restartPods } from './restart.js';
import type { Route } from './route.js';

/**
 * Strategy clean: a cluster with nothing but add-ons. aws-node goes first, its nodes are shut to new pods, and only new nodes come up
 * on Cilium; nodes that never ran aws-node get it at once, and only their pods restart. Why it is this order: docs/adr/0014.
 */
export const CLEAN: Route = {
  toward: 'cilium',
  phases: [
    ['preflight', preflight],
    ['take', take],
    ['guard', guard],
    ['label', label],
    ['remove', remove],
    ['install', install],
    ['refresh', refreshNodes],
    ['restart', restartPods],
    ['prove', prove],
    ['finalise', finaliseAll],
    ['give-back', giveBack],
  ],
  unattended: ['remove', 'install'],
  takeBack({ book }) {
    const removed = book.phases.some(({ phase }) => phase === 'remove');
    return Promise.resolve(removed && book.phase !== 'give-back' ? 'aws-node is taken away or about to be: nodes without Cilium start no new pod until the same start goes on, or a rollback brings it back' : undefined);
  },
};

/** From here to the install a new node has no CNI, and old ones start no new pod: nothing waits for a person after the gate. */
async function remove(migration: Migration): Promise<string> {
  const { target, manifest, plan } = migration;
  await migration.gate('before-removal', () => Promise.resolve({ digest: plan.installDigest, shows: ['aws-node is taken away before its nodes are replaced: nothing but add-ons may run here', ...plan.shows] }));
  await migration.step(() => acts.shutOldNodes({ target }));
  // A node that joined on aws-node meanwhile is one of the old ones too.
  const late = await migration.step(() => acts.labelNodes({ target }));
  const { shut } = await migration.step(() => acts.shutOldNodes({ target }));
  const { removed } = await migration.step(() => acts.removeAwsNode({ target, clean: manifest.spec.clean }));
  await migration.lookWithin(ROLLOUT, (known) => acts.lookAwsNodeGone({ target, known }));
  return `${removed.length > 0 ? `removed ${removed.join(', ')}` : 'nothing left to remove'}; ${late.labelled + late.already} nodes shut to new pods${shut > 0 ? `, ${shut} of them late` : ''}`;
}

/** aws-node is gone and every node is on Cilium: affinity dropped and enforcement on in one. */
async function finaliseAll(migration: Migration): Promise<string> {
  await migration.gate('before-enforcement', () => Promise.resolve(migration.plan.enforcement));
  return finalise(migration);
}
