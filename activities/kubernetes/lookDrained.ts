import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { drainVerdict, evictionOrder } from '../../domain/kubernetes/drain.js';
import { fullName, readyCondition } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look, NodeRequest } from '../api.js';
import type { DrainSpec } from '../../domain/spec/schema.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { carriedNow, carry, look, stopIfCancelled } from '../look.js';
import { evict } from './evict.js';
import { podsOnNode } from './lists.js';

/** A pod that should be gone this long ago, on a node whose kubelet is silent, will never be seen to go (as in Cluster API). */
const STALE_MS = 60_000;
/** An eviction that waits its turn for less is no news (docs/adr/0003): in a busy drain budgets say no and yes all the time. */
const NEWS_MS = 5_000;

type DrainRequest = NodeRequest & { drain: DrainSpec; known: string };

/** Passes of evictions. Done when no pod is left that a drain removes. */
export function lookDrained(clients: Clients, request: DrainRequest): Promise<Look & { evicted: number }> {
  /** Where pods were refused: a budget that frees there is worth a look. */
  const refusedIn = new Set<string>();
  const matters = (event: ClusterEvent): boolean => {
    if (event.kind === 'Pod') return event.object.spec?.nodeName === request.node.name;
    return event.kind === 'PodDisruptionBudget' && refusedIn.has(event.object.metadata?.namespace ?? '') && (event.object.status?.disruptionsAllowed ?? 0) > 0;
  };
  return linger(clients, matters, () => drainPass(clients, request, refusedIn));
}

async function drainPass(clients: Clients, { node: ref, drain, known }: DrainRequest, refusedIn: Set<string>): Promise<Look & { evicted: number }> {
  const so = soFar();
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  // Gone, or another one of that name: its pods are none of ours.
  if (node?.metadata?.uid !== ref.uid) return look({ known, done: true, blockers: [], seenOf: 'gone', extra: { evicted: so.evicted } });

  const blocked: Blocker[] = [];
  const byRule: string[] = [];
  const evictable: { pod: V1Pod; tier: number }[] = [];
  for (const pod of await podsOnNode(clients, ref.name)) {
    const verdict = drainVerdict(pod, drain);
    if (verdict.act === 'leave' || isStale(pod, node)) continue;
    if (verdict.act === 'block') {
      blocked.push({ object: `Pod ${fullName(pod.metadata)}`, reason: verdict.reason, todo: verdict.todo, firm: true });
      byRule.push(pod.metadata?.uid ?? '');
    } else evictable.push({ pod, tier: verdict.tier });
  }
  const pass = await evictTier(clients, evictable, so);
  refusedIn.clear();
  for (const { namespace } of pass.refused) refusedIn.add(namespace);
  // What was told before stays told, else the news would come and go.
  const told = new Set(known.startsWith(SEEN) ? known.slice(SEEN.length).replace(/!$/, '').split(',') : []);
  const news = pass.refused.filter(({ uid, since }) => told.has(brief(uid)) || Date.now() - since >= NEWS_MS);
  const young = pass.refused.filter((refusal) => !news.includes(refusal)).map(({ blocker }) => blocker);
  blocked.push(...news.map(({ blocker }) => blocker));
  const waiting: Blocker[] =
    pass.leaving.length === 0 ? [] : [{ object: `Node ${ref.name}`, reason: `${pass.leaving.length} pods are terminating (${pass.leaving.slice(0, 3).join(', ')}${pass.leaving.length > 3 ? ' …' : ''})`, todo: 'They are awaited.' }];
  return look({
    known,
    done: blocked.length === 0 && pass.left === 0,
    blockers: [...blocked, ...waiting],
    young,
    seenOf: null,
    // Pods that come and go are no news; who blocks is.
    seen: SEEN + [...news.map(({ uid }) => brief(uid)), ...byRule.map(brief)].sort().join(','),
    // The server's word counts only where there is nothing else to wait for.
    retryAfterMs: waiting.length === 0 ? pass.retryAfterMs : undefined,
    // Longer than a pod's start and readiness usually take: the budget does not come free by itself.
    overdueMs: 60_000,
    extra: { evicted: pass.evicted },
  });
}

/** `seen` of this look: which pods were told of, by the beginning of their UIDs. */
const SEEN = 'drain:';

function brief(uid: string): string {
  return uid.slice(0, 8);
}

interface Refusal {
  uid: string;
  namespace: string;
  blocker: Blocker;
  /** Epoch milliseconds of the first refusal that this look met. */
  since: number;
}

interface Pass {
  evicted: number;
  /** Names of pods that are terminating. */
  leaving: string[];
  /** Pods of any tier that are not gone yet. */
  left: number;
  refused: Refusal[];
  retryAfterMs?: number;
}

/** Evicts the lowest tier that still has pods: critical ones stay while an ordinary one cannot go. */
async function evictTier(clients: Clients, pods: { pod: V1Pod; tier: number }[], so: SoFar): Promise<Pass> {
  const pass: Pass = { evicted: so.evicted, leaving: [], left: pods.length, refused: [] };
  const lowest = Math.min(...pods.map(({ tier }) => tier));
  for (const { pod } of evictionOrder(pods).filter(({ tier }) => tier === lowest)) {
    const { uid = '', deletionTimestamp } = pod.metadata ?? {};
    const name = fullName(pod.metadata);
    if (deletionTimestamp !== undefined) {
      pass.leaving.push(name);
      continue;
    }
    // Between evictions a pause takes effect.
    stopIfCancelled();
    const eviction = await evict(clients, pod);
    switch (eviction.result) {
      case 'evicted':
        pass.evicted++;
        pass.leaving.push(name);
        break;
      case 'gone':
        pass.left--;
        break;
      case 'blocked':
        pass.refused.push({ uid, namespace: pod.metadata?.namespace ?? '', blocker: eviction.blocker, since: so.refused[brief(uid)] ?? Date.now() });
        pass.retryAfterMs = eviction.retryAfterMs === undefined ? pass.retryAfterMs : Math.min(eviction.retryAfterMs, pass.retryAfterMs ?? Infinity);
        break;
    }
    carry({ evicted: pass.evicted, refused: Object.fromEntries(pass.refused.map((refusal) => [brief(refusal.uid), refusal.since])) } satisfies SoFar);
  }
  return pass;
}

/** What this look's attempts hand on, since NotYet swallows their results. */
interface SoFar {
  evicted: number;
  refused: Record<string, number>;
}

function soFar(): SoFar {
  const carried = carriedNow() as Partial<SoFar> | null | undefined;
  return { evicted: carried?.evicted ?? 0, refused: carried?.refused ?? {} };
}

function isStale(pod: V1Pod, node: V1Node): boolean {
  const due = pod.metadata?.deletionTimestamp;
  return due !== undefined && readyCondition(node)?.status === 'Unknown' && Date.now() - due.getTime() > STALE_MS;
}
