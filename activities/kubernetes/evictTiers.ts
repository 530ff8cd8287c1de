import type { V1Pod } from '@kubernetes/client-node';
import { Semaphore } from 'async-mutex';
import { evictionOrder } from '../../domain/kubernetes/drain.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import type { DrainSpec } from '../../domain/spec/schema.js';
import type { Clients } from '../clients/index.js';
import { stopIfCancelled } from '../look.js';
import type { DrainMemory } from './drainMemory.js';
import { evict, isFree } from './evict.js';
import type { Refused } from './evict.js';
import { ownerOf, ownerText } from './owner.js';
import { hasReadyTwin } from './readyElsewhere.js';
import { surgeBefore } from './surgeSingleton.js';
import { lastBackendBlocker } from './webhookBackends.js';
import type { WebhookServices } from './webhookBackends.js';

/** Evictions that the API server is asked for at once; it writes to a budget for each. */
const AT_ONCE = 5;
/** A pass tells what it has come to before its attempt is over: a webhook that does not answer takes ten seconds of each pod's eviction. */
const PASS_MS = 45_000;
/** … and those pods are not asked for at once again, so that the next pass comes to the others. */
const REFUSED_MS = 60_000;

/** A pod that could not be evicted, and what held it. */
export interface Refusal {
  pod: V1Pod;
  /** `refused`: by the API server, and no budget of its own: an admission webhook or policy, mostly. `terminating`: it was evicted, and does not end. */
  cause: 'rule' | 'budget' | 'refused' | 'webhook' | 'singleton' | 'terminating';
  blocker: Blocker;
  owner: string;
  budget?: string;
  /** Epoch milliseconds. */
  since: number;
}

export interface Pass {
  /** Names of pods that are terminating. */
  leaving: string[];
  /** Pods that are not on their way out. */
  staying: V1Pod[];
  /** How many pods of any tier are not gone yet. */
  left: number;
  refused: Refusal[];
}

type Held = Pick<Refusal, 'cause' | 'blocker' | 'owner' | 'budget'>;

interface Means {
  ref: NodeRef;
  drain: DrainSpec;
  memory: DrainMemory;
  services: WebhookServices;
}

/**
 * Evicts tier by tier: critical pods stay while an ordinary one cannot go. Once all of the tiers before are on their way, one with
 * a ready twin on another node goes too; one without stays until they are gone.
 */
export async function evictTiers(clients: Clients, pods: { pod: V1Pod; tier: number }[], means: Means): Promise<Pass> {
  const pass: Pass = { leaving: [], staying: [], left: pods.length, refused: [] };
  const going = new Set(pods.flatMap(({ pod: { metadata } }) => (metadata?.deletionTimestamp === undefined ? [] : [metadata.uid ?? ''])));
  const until = Date.now() + PASS_MS;
  const tiers = [...new Set(pods.map(({ tier }) => tier))].sort((a, b) => a - b);
  for (const tier of tiers) {
    const some = evictionOrder(pods.filter((each) => each.tier === tier)).map(({ pod }) => pod);
    // None begins where one of a tier before stays.
    const mayBegin = async (pod: V1Pod): Promise<boolean> => pass.staying.length === 0 && Date.now() < until && (tier === tiers[0] || (await hasReadyTwin(clients, means.ref.name, pod)));
    const ends = await evictTier(clients, some, { ...means, going, mayBegin });
    for (const [index, pod] of some.entries()) count(pass, pod, ends[index]);
  }
  return pass;
}

/** What has come of a pod; undefined: it was not begun. */
type End = 'leaving' | 'gone' | Refusal | undefined;

function count(pass: Pass, pod: V1Pod, end: End): void {
  if (end === 'leaving') pass.leaving.push(fullName(pod.metadata));
  else if (end === 'gone') pass.left--;
  else {
    pass.staying.push(pod);
    if (end !== undefined) pass.refused.push(end);
  }
}

interface Tier extends Means {
  /** UIDs of pods that are on their way out, or are about to be. */
  going: Set<string>;
  mayBegin: (pod: V1Pod) => Promise<boolean>;
}

/**
 * What must come before an eviction is looked at for one pod after the other, so that no two of them count on each other; the API server
 * is asked for some at once. Is over, one way or the other, only when no eviction is under way any more: the clean-up after it must meet none.
 */
async function evictTier(clients: Clients, pods: V1Pod[], tier: Tier): Promise<End[]> {
  const asking = new Semaphore(AT_ONCE);
  const asked: Promise<void>[] = [];
  const failures: unknown[] = [];
  const ends: End[] = [];
  const begin = async (index: number, pod: V1Pod): Promise<void> => {
    if (!(await tier.mayBegin(pod))) return;
    // Between evictions a pause takes effect.
    stopIfCancelled();
    const held = (await holdBack(clients, pod, tier)) ?? (await putOff(clients, tier.memory, pod.metadata?.uid ?? ''));
    if (held !== undefined) return void (ends[index] = refusal(pod, held, tier));
    tier.going.add(pod.metadata?.uid ?? '');
    asked.push(asking.runExclusive(() => ask(clients, pod, tier)).then((end) => void (ends[index] = end), (error: unknown) => void failures.push(error)));
    await asking.waitForUnlock();
  };
  try {
    for (const [index, pod] of pods.entries()) {
      if (pod.metadata?.deletionTimestamp !== undefined) ends[index] = 'leaving';
      else if (failures.length === 0) await begin(index, pod);
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(asked);
  if (failures.length > 0) throw failures[0];
  return ends;
}

async function ask(clients: Clients, pod: V1Pod, tier: Tier): Promise<End> {
  const { memory, going } = tier;
  const uid = pod.metadata?.uid ?? '';
  const eviction = await evict(clients, pod);
  switch (eviction.result) {
    case 'evicted':
      memory.countEvicted();
      return 'leaving';
    case 'gone':
      return 'gone';
    case 'blocked': {
      going.delete(uid);
      const { result: _, retryAfterMs, ...refused } = eviction;
      memory.refusedFor(uid, { retryAfterMs: retryAfterMs ?? (refused.cause === 'refused' ? REFUSED_MS : undefined), refused });
      return refusal(pod, refused, tier);
    }
  }
}

function refusal(pod: V1Pod, { cause, blocker, owner, budget }: Held, { memory }: Means): Refusal {
  return { pod, cause, blocker, owner, ...(budget === undefined ? {} : { budget }), since: memory.refusedSince(pod.metadata?.uid ?? '') };
}

/** The server's Retry-After, which a budget need not wait out that has come free: to read it is no eviction. */
async function putOff(clients: Clients, memory: DrainMemory, uid: string): Promise<Refused | undefined> {
  const refused = memory.putOff(uid);
  return refused?.budget !== undefined && (await isFree(clients, refused.budget)) ? undefined : refused;
}

/** What must come before the eviction of this pod. */
async function holdBack(
  clients: Clients,
  pod: V1Pod,
  { ref, drain, memory, services, going }: Means & { going: Set<string> },
): Promise<Held | undefined> {
  const owner = async (): Promise<string> => ownerText(await ownerOf(clients, pod));
  if (drain.surgeSingletons) {
    const { wait, note } = await surgeBefore(clients, ref, pod);
    if (note !== undefined) memory.note(note);
    if (wait !== undefined) return { cause: 'singleton', blocker: wait, owner: await owner() };
  }
  const last = await lastBackendBlocker(clients, pod, { services, going });
  return last === undefined ? undefined : { cause: 'webhook', blocker: last, owner: await owner() };
}
