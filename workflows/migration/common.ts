import type { CiliumRequest } from '../../activities/api.js';
import { acts } from '../activityProxies.js';
import type { Migration } from './migration.js';
import { RunEnd } from './endings.js';

/** Agents of a big cluster roll a few at a time; an operator that cannot start shows far sooner. */
export const ROLLOUT = '45m';
/** A pod without a CiliumEndpoint may be starting; after this it is one that nobody restarts. */
export const PROOF = '15m';

/** Nodes that the reason of a partial end names. */
const NAMED = 10;

export async function guard(migration: Migration): Promise<string> {
  await migration.step(() => acts.holdGuards({ target: migration.target, set: 'whole' }));
  await migration.holdChanging();
  return 'guards taken';
}

/** Counts the nodes; those that are left end the run as partial. */
export async function expectNoneLeft(migration: Migration, command: string): Promise<void> {
  const { target, book } = migration;
  const counts = await migration.step(() => acts.countNodes({ target }));
  book.counts = counts;
  const left = counts[migration.direction.count.old];
  const on = migration.direction.count.old === 'aws' ? 'aws-node' : 'Cilium';
  const postponed = book.results.newest.filter(({ outcome }) => outcome === 'postponed').slice(-NAMED).map(({ node, why }) => `. ${node.name}: ${why}`);
  if (left > 0) throw new RunEnd('partial', `${left} nodes are still on ${on}; the same ${command} goes on from here${postponed.join('')}`);
}

export async function giveBack(migration: Migration): Promise<string> {
  const { target } = migration;
  const given = await migration.step(() => migration.giveBack('whole'));
  await migration.step(() => acts.releaseLease({ target }));
  migration.book.taken = false;
  return `${given} guards given back, Lease released`;
}

/** What Helm is to do in a phase. */
export function ciliumRequest(migration: Migration, phase: CiliumRequest['phase']): CiliumRequest {
  return { target: migration.target, manifest: migration.manifest, plan: migration.plan, phase };
}

/** Helm applied, and everything rolled out and proven to run on it. */
export async function cilium(migration: Migration, phase: CiliumRequest['phase']): Promise<{ revision: number; agents: number; finalValues: string }> {
  const request = ciliumRequest(migration, phase);
  const { revision, finalValues, phase: reached } = await migration.step(() => acts.ensureCilium(request));
  const { agents } = await migration.lookWithin(ROLLOUT, (known) => acts.lookCilium({ ...request, phase: reached, known }));
  return { revision, agents, finalValues };
}
