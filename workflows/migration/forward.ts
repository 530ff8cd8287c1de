import type { Phase } from '../../domain/status.js';
import { acts } from '../activityProxies.js';
import { cilium, expectNoneLeft, giveBack, guard, PROOF, ROLLOUT } from './common.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';
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
  async takeBack({ book, target }) {
    if (!UNWOUND.includes(book.phase)) return undefined;
    return (await acts.unwindInstall({ target })).why;
  },
};

/** In these phases a run that ends leaves no node on Cilium behind, or at most late ones: unwindInstall looks. */
const UNWOUND: Phase[] = ['label', 'restrict', 'install'];

/** Reads only. The gate opens before the first write; after the approval the world is looked at again. */
async function preflight(migration: Migration): Promise<string> {
  const { manifest, target, book } = migration;
  const look = async () => {
    book.plan = await migration.step(() => acts.preflight({ target, manifest }));
    const blockers = book.plan.findings.filter((finding) => finding.severity === 'blocker');
    if (book.plan.blocked) throw new RunEnd('failed', `preflight found blockers: ${blockers.map((finding) => `${finding.id}: ${finding.message} ${finding.todo}`).join('; ')}`);
    return { digest: book.plan.installDigest, shows: book.plan.shows };
  };
  let fresh: Awaited<ReturnType<typeof look>> | undefined = await look();
  if (migration.plan.mode === 'done') throw new RunEnd('done', null);
  await migration.gate('before-install', async () => {
    // The first look is a moment old; the next comes after a person took their time.
    const seen = fresh ?? (await look());
    fresh = undefined;
    return seen;
  });
  return `${migration.plan.mode}: ${migration.plan.nodes} nodes to refresh`;
}

async function take(migration: Migration): Promise<string> {
  const { target, manifest } = migration;
  const { tookOverFrom } = await migration.step(() => acts.takeLease({ target }));
  migration.book.taken = true;
  await migration.step(() => acts.saveCni({ target, clusterId: manifest.spec.cilium.clusterId }));
  return tookOverFrom ? `Lease taken over from ${tookOverFrom}` : 'Lease taken, CNI ledger written';
}

async function label(migration: Migration): Promise<string> {
  const seen = await migration.step(() => acts.labelNodes({ target: migration.target }));
  return `${seen.labelled} nodes labelled, ${seen.already} were, ${seen.onCilium} on Cilium`;
}

async function restrict(migration: Migration): Promise<string> {
  const { target } = migration;
  const { how, updateId } = await migration.step(() => acts.restrictAwsNode({ target }));
  await migration.lookWithin(ROLLOUT, (known) => acts.lookAwsNodeRestricted({ target, known, updateId }));
  // A node that joined on aws-node meanwhile would lose it: it is labelled before Cilium may see it.
  const late = await migration.step(() => acts.labelNodes({ target }));
  await migration.look((known) => acts.lookAwsNodeRestricted({ target, known, updateId }));
  return `aws-node confined to cni-plugin=aws (${how}); ${late.labelled} late nodes labelled`;
}

async function install(migration: Migration): Promise<string> {
  const seen = await cilium(migration, 'migration');
  // Cilium's affinity does not ask for the mark of a rollback that ended early any more.
  await migration.step(() => acts.unmarkCilium({ target: migration.target }));
  return `Cilium ${migration.plan.chart.version} installed, revision ${seen.revision}, ${seen.agents} agents`;
}

async function prove(migration: Migration): Promise<string> {
  const { target } = migration;
  await expectNoneLeft(migration, 'start');
  const seen = await migration.lookWithin(PROOF, (known) => acts.lookProven({ target, known }));
  migration.note('proofs', seen.proofs);
  return 'Cilium on every node that should have it, no unmanaged pod';
}

async function enforce(migration: Migration): Promise<string> {
  await migration.gate('before-enforcement', () => Promise.resolve(migration.plan.enforcement));
  const seen = await cilium(migration, 'enforcement');
  migration.note('proofs', [`${seen.agents} Cilium agents and the operator run on the final policy enforcement`]);
  return `policy enforcement on, revision ${seen.revision}, ${seen.agents} agents rolled`;
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

/** Only now: with aws-node there, a node that got the label would run both. */
async function finalise(migration: Migration): Promise<string> {
  const seen = await cilium(migration, 'final');
  migration.book.finalValues = seen.finalValues;
  const proven = await migration.look((known) => acts.lookProven({ target: migration.target, known }));
  migration.note('proofs', proven.proofs);
  return `migration affinity dropped, revision ${seen.revision}`;
}
