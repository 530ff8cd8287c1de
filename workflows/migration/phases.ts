import type { Phase } from '../../domain/status.js';
import { acts } from '../activityProxies.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';
import { refreshNodes } from './refresh.js';

/** Agents of a big cluster roll a few at a time; an operator that cannot start shows far sooner. */
const ROLLOUT = '45m';
/** A pod without a CiliumEndpoint may be starting; after this it is one that nobody restarts. */
const PROOF = '15m';

/** Nodes that the reason of a partial end names. */
const NAMED = 10;

/** One phase: does its work, and says in a line what it did. Each may be repeated from its start at any time. */
export type PhaseWork = (migration: Migration) => Promise<string | undefined>;

/** What each phase does. The order is PHASES in domain/status.ts; why it is this order: docs/guide.md. */
export const WORK: Record<Phase, PhaseWork> = {
  preflight,
  take,
  guard,
  label,
  restrict,
  install,
  refresh: refreshNodes,
  prove,
  enforce,
  soak,
  remove,
  finalise,
  'give-back': giveBack,
};

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

async function guard(migration: Migration): Promise<string> {
  await migration.step(() => acts.holdGuards({ target: migration.target, set: 'whole' }));
  await migration.holdChanging();
  return 'guards taken';
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
  return `Cilium ${migration.plan.chart.version} installed, revision ${seen.revision}, ${seen.agents} agents`;
}

async function prove(migration: Migration): Promise<string> {
  const { target } = migration;
  const counts = await migration.step(() => acts.countNodes({ target }));
  migration.book.counts = counts;
  const postponed = migration.book.results.newest.filter(({ outcome }) => outcome === 'postponed').slice(-NAMED).map(({ node, why }) => `. ${node.name}: ${why}`);
  if (counts.aws > 0) throw new RunEnd('partial', `${counts.aws} nodes are still on aws-node; the same start goes on from here${postponed.join('')}`);
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

async function giveBack(migration: Migration): Promise<string> {
  const { target } = migration;
  const given = await migration.step(() => migration.giveBack('whole'));
  await migration.step(() => acts.releaseLease({ target }));
  migration.book.taken = false;
  return `${given} guards given back, Lease released`;
}

async function cilium(
  migration: Migration,
  phase: 'migration' | 'enforcement' | 'final',
): Promise<{ revision: number; agents: number; finalValues: string }> {
  const request = { target: migration.target, manifest: migration.manifest, plan: migration.plan, phase };
  const { revision, finalValues, phase: reached } = await migration.step(() => acts.ensureCilium(request));
  const { agents } = await migration.lookWithin(ROLLOUT, (known) => acts.lookCilium({ ...request, phase: reached, known }));
  return { revision, agents, finalValues };
}
