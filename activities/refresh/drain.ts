import type { V1Pod } from '@kubernetes/client-node';
import { drainVerdict, evictionOrder } from '../../domain/kubernetes/drain.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Activities } from '../api.js';
import type { Clients } from '../clients/index.js';
import { podsOnNode } from '../kubernetes/lists.js';
import { carriedNow, carry, look, stopIfCancelled } from '../look.js';
import { sameNode, writingClients } from './deps.js';
import type { RefreshDeps } from './deps.js';
import { evict } from './evict.js';

/** A refusal shorter than this is an eviction waiting for its turn, not something a person should look at. */
const PATIENCE_MS = 5_000;

/** Kept over the retries of one look, in its heartbeats. */
interface Carried {
  evicted: number;
  /** Pod UID → epoch milliseconds of its first refusal. */
  refused: Record<string, number>;
}

interface Leaving {
  pod: V1Pod;
  tier: number;
}

/**
 * One pass of evictions over the pods of this node and no others: the list is by node name, each eviction by UID, so a
 * StatefulSet pod of the same name that lives elsewhere is never touched. Higher tiers wait for the lower ones to be gone.
 */
export function lookDrained(deps: RefreshDeps): Activities['lookDrained'] {
  return async (request) => {
    const clients = await writingClients(deps, request.target);
    const memory = remember();
    // The name may be another machine's by now; then there is nothing here to drain.
    const pods = (await sameNode(clients, request)) ? await podsOnNode(clients, request.node.name) : [];
    const verdicts = pods.map((pod) => ({ pod, verdict: drainVerdict(pod, request.drain) }));
    const forbidden = verdicts.flatMap(({ pod, verdict }): Blocker[] => (verdict.act === 'block' ? [{ object: podOf(pod), reason: verdict.reason, todo: verdict.todo }] : []));
    const leaving = evictionOrder(verdicts.flatMap(({ pod, verdict }): Leaving[] => (verdict.act === 'evict' ? [{ pod, tier: verdict.tier }] : [])));
    // A drain that cannot end is not begun: no pod moves before a person decided about those that must not.
    const refused = forbidden.length > 0 ? [] : await evictTier(clients, leaving, memory);
    const blockers = [...forbidden, ...refused];
    const done = leaving.length === 0 && forbidden.length === 0;
    const waiting = leaving.length > 0 ? [{ object: `Node ${request.node.name}`, reason: `${leaving.length} pods are leaving`, todo: 'It goes on by itself' }] : [];
    return look({ known: request.known, done, blockers: blockers.length > 0 ? blockers : waiting, seenOf: blockers, extra: { evicted: memory.evicted } });
  };
}

/** Evicts what is not on its way yet, of the lowest tier that has pods left. Stops between two evictions when cancelled. */
async function evictTier(clients: Clients, leaving: Leaving[], memory: Carried): Promise<Blocker[]> {
  const tier = leaving[0]?.tier;
  const blockers: Blocker[] = [];
  for (const { pod } of leaving.filter((candidate) => candidate.tier === tier)) {
    if (pod.metadata?.deletionTimestamp) continue;
    stopIfCancelled();
    const uid = pod.metadata?.uid ?? '';
    const answer = await evict(clients, pod);
    switch (answer.kind) {
      case 'accepted':
        memory.evicted += 1;
        delete memory.refused[uid];
        break;
      case 'gone':
        delete memory.refused[uid];
        break;
      case 'refused': {
        const since = (memory.refused[uid] ??= Date.now());
        if (Date.now() - since < PATIENCE_MS) break;
        blockers.push({ object: podOf(pod), reason: `${answer.reason}, since ${new Date(since).toISOString()}`, todo: answer.todo });
        break;
      }
      default:
        answer satisfies never;
    }
    carry(memory);
  }
  return blockers;
}

function remember(): Carried {
  const carried = carriedNow() as Partial<Carried> | undefined;
  return { evicted: carried?.evicted ?? 0, refused: { ...carried?.refused } };
}

function podOf(pod: V1Pod): string {
  return `Pod ${fullName(pod.metadata)}`;
}
