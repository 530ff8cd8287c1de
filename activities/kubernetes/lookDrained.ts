import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { directionOf } from '../../domain/directions/index.js';
import { CiliateError } from '../../domain/failures.js';
import type { BlockingPod } from '../../domain/force.js';
import { drainVerdict, overstayBlocker, overstays } from '../../domain/kubernetes/drain.js';
import { fullName, instanceIdOf, readyCondition } from '../../domain/kubernetes/resources.js';
import { blockerLines } from '../../domain/refresh.js';
import type { Blocker } from '../../domain/refresh.js';
import type { DrainRequest, Drained } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look, stopIfCancelled } from '../look.js';
import { tellNode } from './drainEvent.js';
import { brief, DrainMemory } from './drainMemory.js';
import { deletePod } from './evict.js';
import { evictTiers } from './evictTiers.js';
import type { Refusal } from './evictTiers.js';
import { podsOnNode } from './lists.js';
import { registeredAnew } from './observeNode.js';
import { ownerOf, ownerText } from './owner.js';
import { surgeAfter } from './surgeSingleton.js';
import { attachmentsLeft } from './volumes.js';
import { WebhookServices } from './webhookBackends.js';

/** A pod that should be gone this long ago, on a node whose kubelet is silent, will never be seen to go (as in Cluster API). */
const STALE_MS = 60_000;
/** An eviction that waits its turn for less is no news (docs/adr/0003): in a busy drain budgets say no and yes all the time. */
const NEWS_MS = 5_000;
/** So many pods a gate `force` names at a time: it is carried with every status, of many nodes at once. The next come as these go. */
const FORCEABLE = 20;
/** The Event of what still blocks is counted up so often. */
const REMIND_MS = 60_000;

/** What the passes of one attempt share. */
interface Attempt {
  /** Namespaces in which pods were refused: a budget that frees there is worth a look. */
  refusedIn: Set<string>;
  services: WebhookServices;
}

/** Passes of evictions. Done when no pod is left that a drain removes. */
export function lookDrained(clients: Clients, request: DrainRequest): Promise<Drained> {
  const attempt: Attempt = { refusedIn: new Set(), services: new WebhookServices(clients) };
  const { refusedIn } = attempt;
  const matters = (event: ClusterEvent): boolean => {
    if (event.kind === 'Pod') return event.object.spec?.nodeName === request.node.name;
    return event.kind === 'PodDisruptionBudget' && refusedIn.has(event.object.metadata?.namespace ?? '') && (event.object.status?.disruptionsAllowed ?? 0) > 0;
  };
  return linger(clients, matters, () => drainPass(clients, request, attempt));
}

async function drainPass(clients: Clients, request: DrainRequest, attempt: Attempt): Promise<Drained> {
  const { node: ref, drain, known } = request;
  const memory = new DrainMemory(request.blocking ?? []);
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  if (node?.metadata?.uid !== ref.uid) return otherNode(request, node, memory);

  const pods = await podsOnNode(clients, ref.name);
  const sorted = await sort(clients, { ...request, pods: pods.filter((pod) => !isStale(pod, node)) }, memory);
  const pass = await evictTiers(clients, sorted.evictable, { ref, drain, memory, services: attempt.services });
  if (drain.surgeSingletons) for (const line of await surgeAfter(clients, ref, pass.staying)) memory.note(line);

  attempt.refusedIn.clear();
  for (const { pod } of pass.refused) attempt.refusedIn.add(pod.metadata?.namespace ?? '');
  // What was told before stays told, else the news would come and go.
  const told = toldIn(known);
  const isNews = (refusal: Refusal): boolean => told.has(keyOf(refusal)) || Date.now() - refusal.since >= NEWS_MS;
  const holding = [...sorted.byRule, ...pass.refused.filter(isNews)];
  const late = await overstaying(clients, sorted.evictable);
  const news = [...holding, ...late];
  const young = pass.refused.filter((refusal) => !isNews(refusal)).map(shown);
  const leaving = [...sorted.deleted, ...pass.leaving].filter((name) => !late.some(({ pod }) => fullName(pod.metadata) === name));
  const waiting: Blocker[] =
    leaving.length === 0 ? [] : [{ object: `Node ${ref.name}`, reason: `${leaving.length} pods are terminating (${leaving.slice(0, 3).join(', ')}${leaving.length > 3 ? ' …' : ''})`, todo: 'They are awaited.' }];
  const seen = SEEN + news.map(keyOf).sort().join(',');
  await tell(clients, request, { blockers: news.map(shown), seen, told: told.size > 0 || (request.blocking ?? []).length > 0, memory });

  const done = sorted.byRule.length === 0 && sorted.deleted.length === 0 && pass.left === 0;
  const volumes = done ? (await attachmentsLeft(clients, ref)).map(({ metadata }) => metadata?.name ?? '') : [];
  return look({
    known,
    done,
    blockers: [...news.map(shown), ...waiting],
    young,
    seenOf: null,
    // Pods that come and go are no news; who blocks is.
    seen,
    settle: { ms: request.paceMs ?? 0, firm: true },
    // Longer than a pod's start and readiness usually take: the budget does not come free by itself.
    overdueMs: 60_000,
    extra: { evicted: memory.evicted, blocking: holding.slice(0, FORCEABLE).map(blockingPod), volumes, notes: memory.notes },
  });
}

/**
 * Gone, or another instance's: its pods are none of ours. The same instance's has pods that this drain never saw, and no cordon:
 * it is no more drained than any other node.
 */
function otherNode({ target, node: ref, known, surplus = false }: DrainRequest, node: V1Node | undefined, memory: DrainMemory): Drained {
  const extra = { evicted: memory.evicted, blocking: [], volumes: [], notes: memory.notes };
  if (node !== undefined && instanceIdOf(node) === undefined) {
    const blocker: Blocker = { object: `Node ${ref.name}`, reason: `it has another UID (${node.metadata?.uid}) and no instance in its providerID yet`, todo: 'It is awaited.' };
    return look({ known, done: false, blockers: [blocker], seenOf: 'unsaid', extra });
  }
  const anew = node && registeredAnew(ref, node, directionOf(target));
  // One too many has no label in any case: it comes again as that.
  if (anew?.state === 'hands-off' && !surplus) {
    const todo = `See what made it register anew. With the label it is taken up as a node of its own; or: ciliate skip CLUSTER ${ref.name} --reason TEXT`;
    throw new CiliateError('Permanent', { object: `Node ${ref.name}`, expected: `UID ${ref.uid}, which was being drained`, seen: anew.why, todo }, { code: 'RegisteredAnew' });
  }
  return look({ known, done: true, blockers: [], seenOf: 'gone', extra: anew === undefined ? extra : { ...extra, gone: anew.why } });
}

interface Sorted {
  evictable: { pod: V1Pod; tier: number }[];
  /** A rule of the drain forbids their eviction. */
  byRule: Refusal[];
  /** Names of pods that were deleted by approval. */
  deleted: string[];
}

/** By the rules of a drain; what a person approved by name is deleted at once. */
async function sort(clients: Clients, { pods, drain, forced = [] }: DrainRequest & { pods: V1Pod[] }, memory: DrainMemory): Promise<Sorted> {
  const sorted: Sorted = { evictable: [], byRule: [], deleted: [] };
  for (const pod of pods) {
    const verdict = drainVerdict(pod, drain);
    if (verdict.act === 'leave') continue;
    const { uid = '', deletionTimestamp } = pod.metadata ?? {};
    if (forced.includes(uid) && deletionTimestamp === undefined) {
      stopIfCancelled();
      await deletePod(clients, pod);
      memory.countEvicted();
      sorted.deleted.push(fullName(pod.metadata));
    } else if (verdict.act === 'block') {
      const blocker: Blocker = { object: `Pod ${fullName(pod.metadata)}`, reason: verdict.reason, todo: verdict.todo, firm: true };
      sorted.byRule.push({ pod, cause: 'rule', blocker, owner: ownerText(await ownerOf(clients, pod)), since: memory.refusedSince(uid) });
    } else sorted.evictable.push({ pod, tier: verdict.tier });
  }
  return sorted;
}

/** What does not end. No gate helps there: it is deleted already. */
async function overstaying(clients: Clients, pods: Sorted['evictable']): Promise<Refusal[]> {
  const late: Refusal[] = [];
  for (const { pod } of pods) {
    const due = overstays(pod, Date.now());
    if (due === undefined) continue;
    const owner = ownerText(await ownerOf(clients, pod));
    late.push({ pod, cause: 'terminating', blocker: overstayBlocker(pod, owner, due), owner, since: due.getTime() });
  }
  return late;
}

/** `seen` of this look: which pods were told of, and what held them. */
const SEEN = 'drain:';

function toldIn(known: string): Set<string> {
  const keys = known.startsWith(SEEN) ? known.slice(SEEN.length).replace(/!$/, '') : '';
  return new Set(keys === '' ? [] : keys.split(','));
}

function keyOf({ pod, cause }: Refusal): string {
  return `${brief(pod.metadata?.uid ?? '')}/${cause}`;
}

function shown({ blocker, since }: Refusal): Blocker {
  return { ...blocker, since: new Date(since).toISOString() };
}

function blockingPod({ pod, blocker, owner, budget, since }: Refusal): BlockingPod {
  const { uid = '', namespace = '', name = '' } = pod.metadata ?? {};
  return { uid, namespace, name, owner, ...(budget === undefined ? {} : { budget }), reason: blocker.reason, since: new Date(since).toISOString() };
}

/** On the Node itself: what blocks, once and then counted up; and that it goes on. */
async function tell(clients: Clients, { node: ref }: DrainRequest, now: { blockers: Blocker[]; seen: string; told: boolean; memory: DrainMemory }): Promise<void> {
  const { blockers, seen, told, memory } = now;
  const key = seen;
  if (memory.event?.key === key && (blockers.length === 0 || Date.now() - memory.event.at < REMIND_MS)) return;
  if (blockers.length > 0) await tellNode(clients, ref, { type: 'Warning', reason: 'CiliateDrainBlocked', key, message: `The drain is blocked: ${blockerLines(blockers)}` });
  else if (told) await tellNode(clients, ref, { type: 'Normal', reason: 'CiliateDrainContinues', key, message: 'Nothing blocks the drain any more; it goes on' });
  else return;
  memory.toldNode(key);
}

function isStale(pod: V1Pod, node: V1Node): boolean {
  const due = pod.metadata?.deletionTimestamp;
  return due !== undefined && readyCondition(node)?.status === 'Unknown' && Date.now() - due.getTime() > STALE_MS;
}
