import { acts } from '../activityProxies.js';
import { cilium, ciliumRequest, expectNoneLeft, giveBack, guard, PROOF, ROLLOUT } from './common.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';
import { refreshNodes } from './refresh.js';
import type { Route } from './route.js';

// What the ways back share, whatever the strategy was.

/** Up to where Cilium comes to no new node any more. */
export const UNTIL_CONFINED: Route['phases'] = [
  ['preflight', preflight],
  ['take', take],
  ['unwind', unwind],
  ['guard', guard],
  ['quiet', quiet],
  ['mark', mark],
  ['confine', confine],
];

/** From where new nodes come up on aws-node. */
export const FROM_REFRESH: Route['phases'] = [
  ['refresh', refresh],
  ['prove', prove],
  ['uninstall', uninstall],
  ['give-back', giveBack],
];

/** Reads only. The gate opens before the first write; after the approval the world is looked at again. */
async function preflight(migration: Migration): Promise<string> {
  const { manifest, target, book } = migration;
  const look = async () => {
    book.plan = await migration.step(() => acts.planRollback({ target, manifest }));
    const blockers = book.plan.findings.filter(({ severity }) => severity === 'blocker');
    if (book.plan.blocked) throw new RunEnd('failed', `the way back is blocked: ${blockers.map(({ id, message, todo }) => `${id}: ${message} ${todo}`).join('; ')}`);
    return { digest: book.plan.installDigest, shows: book.plan.shows };
  };
  let fresh: Awaited<ReturnType<typeof look>> | undefined = await look();
  if (migration.plan.mode === 'done') throw new RunEnd('done', null);
  await migration.gate('before-rollback', async () => {
    const seen = fresh ?? (await look());
    fresh = undefined;
    return seen;
  });
  return `${migration.plan.nodes} nodes to replace`;
}

async function take(migration: Migration): Promise<string> {
  const { tookOverFrom } = await migration.step(() => acts.takeLease({ target: migration.target }));
  migration.book.taken = true;
  return tookOverFrom ? `Lease taken over from ${tookOverFrom}` : 'Lease taken';
}

/** While no node has run Cilium this is all: no pod moves. A node that got it meanwhile makes it half way, and the run goes on. */
async function unwind(migration: Migration): Promise<string> {
  const { unwound, why } = await migration.step(() => acts.unwindInstall({ target: migration.target }));
  if (!unwound) return why;
  await awsNodeSettled(migration);
  migration.leave(why);
  throw new RunEnd('done', null);
}

/** Enforcement off before anything is mixed: Cilium knows no identity of pods on aws-node. */
async function quiet(migration: Migration): Promise<string> {
  const seen = await cilium(migration, 'migration');
  return `policy enforcement never, revision ${seen.revision}, ${seen.agents} agents run on it`;
}

async function mark(migration: Migration): Promise<string> {
  const { marked, already } = await migration.step(() => acts.markCilium({ target: migration.target }));
  return `${marked} nodes of Cilium marked, ${already} were`;
}

/** What new nodes come up on is decided here: only what is needed for that is awaited, not the agents' roll. */
async function confine(migration: Migration): Promise<string> {
  const { target } = migration;
  const { revision } = await migration.step(() => acts.ensureCilium(ciliumRequest(migration, 'rollback')));
  await migration.lookWithin(ROLLOUT, (known) => acts.lookCiliumConfined({ target, known }));
  const late = await migration.step(() => acts.markCilium({ target }));
  return `Cilium confined to the marked nodes, revision ${revision}; ${late.marked} late nodes marked`;
}

/** No node is touched while Cilium's agents still roll. */
async function refresh(migration: Migration): Promise<string> {
  if (migration.book.flights.length === 0 && migration.flying.size === 0) await cilium(migration, 'rollback');
  return refreshNodes(migration);
}

async function prove(migration: Migration): Promise<string> {
  const { target } = migration;
  await expectNoneLeft(migration, 'rollback');
  const { proofs } = await migration.lookWithin(PROOF, (known) => acts.lookReturned({ target, known }));
  migration.note('proofs', proofs);
  return 'aws-node on every node that should have it, none of Cilium';
}

async function uninstall(migration: Migration): Promise<string> {
  const { target } = migration;
  const { unwound, why } = await migration.step(() => acts.unwindInstall({ target }));
  if (!unwound) throw new RunEnd('partial', `${why}. The same rollback goes on from here`);
  await awsNodeSettled(migration);
  migration.note('notes', ["Cilium's CustomResourceDefinitions and what is left of their objects stay, without effect"]);
  return why;
}

/** On nodes that were replaced its pods are of another revision: there its affinity of before rolls it once more. */
async function awsNodeSettled(migration: Migration): Promise<void> {
  const { target } = migration;
  await migration.lookWithin(ROLLOUT, (known) => acts.lookAwsNodeRestored({ target, known, saved: true }));
}
