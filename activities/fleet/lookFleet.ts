import pLimit from 'p-limit';
import { canonicalJson } from '../../domain/canonical.js';
import { sha256Hex } from '../../domain/digest.js';
import { CiliateError } from '../../domain/failures.js';
import type { ClusterSeen } from '../../domain/fleet/members.js';
import { decisive, seenOfEnd, seenOfReport, seenOfStatus, seenUnanswered } from '../../domain/fleet/seen.js';
import { waitedMs } from '../look.js';
import type { FleetActivities, Watched } from './api.js';
import type { FleetGateway, RunFacts } from './gateway.js';

type Request = Parameters<FleetActivities['lookFleet']>[0];
type Answer = Awaited<ReturnType<FleetActivities['lookFleet']>>;

const AT_ONCE = 20;
/** Mere progress is told this often: each answer is a handful of events in the fleet's history. */
const PROGRESS_MS = 30_000;
/** A worker that is restarted is nothing to call a person for; one that is away for so long is. */
const UNANSWERED_MS = 300_000;

/** As a look (activities/look.ts), but of many things at once: what changed is returned, cluster by cluster. */
export async function lookFleet({ clusters, known }: Request, gateway: FleetGateway): Promise<Answer> {
  const limit = pLimit(AT_ONCE);
  const all = await Promise.all(clusters.map((cluster) => limit(async () => ({ name: cluster.name, ...(await look(cluster, gateway)) }))));
  const digests = Object.fromEntries(all.map(({ name, open, seen }) => [name, digestOf(open, seen)]));
  const changed = all.filter(({ name }) => digests[name] !== known[name]);
  const decided = changed.filter(({ name }) => digests[name]?.split('/')[0] !== known[name]?.split('/')[0]);
  if (decided.length === 0 && (changed.length === 0 || waitedMs() < PROGRESS_MS)) throw nothingNew(all);
  return { changed, known: digests };
}

async function look({ name, unanswered }: Watched, gateway: FleetGateway): Promise<{ open: boolean; seen: ClusterSeen }> {
  const facts = await gateway.run(name);
  return { open: facts.is === 'open', seen: seenOf(facts, { name, unanswered }) };
}

function seenOf(facts: RunFacts, { name, unanswered }: Watched): ClusterSeen {
  switch (facts.is) {
    case 'unknown':
      return seenOfEnd('not known to Temporal any more', name);
    case 'closed':
      return facts.report === null ? seenOfEnd(facts.how, name) : seenOfReport(facts.report);
    case 'open': {
      if (facts.status !== null) return seenOfStatus(facts.status);
      const since = unanswered ?? new Date().toISOString();
      return seenUnanswered({ ...facts, since, overdue: Date.now() - Date.parse(since) > UNANSWERED_MS });
    }
  }
}

/** What decides, and all of it. */
function digestOf(open: boolean, seen: ClusterSeen): string {
  return [decisive(seen), seen].map((value) => sha256Hex(canonicalJson([open, value])).slice(0, 8)).join('/');
}

function nothingNew(all: { name: string; seen: ClusterSeen }[]): CiliateError {
  const lines = all.filter(({ seen }) => seen.blocked !== null).map(({ name, seen }) => `${name}: ${seen.blocked}`);
  const text = lines.length === 0 ? `${all.length} clusters are under way` : lines.slice(0, 3).join(' | ');
  return new CiliateError('NotYet', text, { code: 'NotYet' });
}
