import { sha256Hex } from '../../domain/digest.js';
import { limitsText } from '../../domain/gates.js';
import { acts } from '../activityProxies.js';
import { cilium, expectNoneLeft, PROOF } from './common.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';

// Phases that the ways to Cilium share, whatever the strategy.

/** Reads only. The gate opens before the first write; after the approval the world is looked at again. */
export async function preflight(migration: Migration): Promise<string> {
  const { manifest, target, book } = migration;
  const look = async () => {
    book.plan = await migration.step(() => acts.preflight({ target, manifest }));
    const blockers = book.plan.findings.filter((finding) => finding.severity === 'blocker');
    if (book.plan.blocked) throw new RunEnd('failed', `preflight found blockers: ${blockers.map((finding) => `${finding.id}: ${finding.message} ${finding.todo}`).join('; ')}`);
    return { digest: book.plan.installDigest, shows: book.plan.shows };
  };
  let fresh: Awaited<ReturnType<typeof look>> | undefined = await look();
  if (migration.plan.mode === 'done') throw new RunEnd('done', null);
  const limits = migration.plan.limits ?? [];
  await migration.gate('accept-limits', () => Promise.resolve({ digest: sha256Hex(limitsText(limits)), shows: limits }));
  await migration.gate('before-install', async () => {
    // The first look is a moment old; the next comes after a person took their time.
    const seen = fresh ?? (await look());
    fresh = undefined;
    return seen;
  });
  return `${migration.plan.mode}: ${migration.plan.nodes} nodes to refresh`;
}

export async function take(migration: Migration): Promise<string> {
  const { target, manifest } = migration;
  const { tookOverFrom } = await migration.step(() => acts.takeLease({ target }));
  migration.book.taken = true;
  await migration.step(() => acts.saveCni({ target, clusterId: manifest.spec.cilium.clusterId, strategy: manifest.spec.strategy }));
  return tookOverFrom ? `Lease taken over from ${tookOverFrom}` : 'Lease taken, CNI ledger written';
}

export async function label(migration: Migration): Promise<string> {
  const seen = await migration.step(() => acts.labelNodes({ target: migration.target }));
  return `${seen.labelled} nodes labelled, ${seen.already} were, ${seen.onCilium} on Cilium`;
}

export async function install(migration: Migration): Promise<string> {
  const seen = await cilium(migration, 'migration');
  // Cilium's affinity does not ask for the mark of a rollback that ended early any more.
  await migration.step(() => acts.unmarkCilium({ target: migration.target }));
  return `Cilium ${migration.plan.chart.version} installed, revision ${seen.revision}, ${seen.agents} agents`;
}

export async function prove(migration: Migration): Promise<string> {
  const { target } = migration;
  await expectNoneLeft(migration, 'start');
  const seen = await migration.lookWithin(PROOF, (known) => acts.lookProven({ target, known }));
  migration.note('proofs', seen.proofs);
  return 'Cilium on every node that should have it, no unmanaged pod';
}

export async function enforce(migration: Migration): Promise<string> {
  await migration.gate('before-enforcement', () => Promise.resolve(migration.plan.enforcement));
  const seen = await cilium(migration, 'enforcement');
  migration.note('proofs', [`${seen.agents} Cilium agents and the operator run on the final policy enforcement`]);
  return `policy enforcement on, revision ${seen.revision}, ${seen.agents} agents rolled`;
}

/** Only now: with aws-node there, a node that got the label would run both. */
export async function finalise(migration: Migration): Promise<string> {
  const seen = await cilium(migration, 'final');
  migration.book.finalValues = seen.finalValues;
  const proven = await migration.look((known) => acts.lookProven({ target: migration.target, known }));
  migration.note('proofs', proven.proofs);
  return `migration affinity dropped, revision ${seen.revision}`;
}
