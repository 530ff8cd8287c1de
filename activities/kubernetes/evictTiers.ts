import type { V1Pod } from '@kubernetes/client-node';
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
  const lowest = Math.min(...pods.map(({ tier }) => tier));
  const going = new Set(pods.flatMap(({ pod: { metadata } }) => (metadata?.deletionTimestamp === undefined ? [] : [metadata.uid ?? ''])));
  const until = Date.now() + PASS_MS;
  /** The tier of the first pod that stays: none after it begins. */
  let last = Infinity;
  for (const { pod, tier } of evictionOrder(pods)) {
    if (pod.metadata?.deletionTimestamp !== undefined) {
      pass.leaving.push(fullName(pod.metadata));
      continue;
    }
    const begins = tier <= last && Date.now() < until && (tier === lowest || (await hasReadyTwin(clients, means.ref.name, pod)));
    if (begins && (await evictOne(clients, pod, { ...means, pass, going }))) continue;
    pass.staying.push(pod);
    last = Math.min(last, tier);
  }
  return pass;
}

/** Whether it is on its way out, or gone. */
async function evictOne(clients: Clients, pod: V1Pod, { pass, going, ...means }: Means & { pass: Pass; going: Set<string> }): Promise<boolean> {
  const { memory } = means;
  const uid = pod.metadata?.uid ?? '';
  // Between evictions a pause takes effect.
  stopIfCancelled();
  const held = (await holdBack(clients, pod, { ...means, going })) ?? (await putOff(clients, memory, uid));
  const eviction = held === undefined ? await evict(clients, pod) : ({ result: 'blocked', ...held } as const);
  switch (eviction.result) {
    case 'evicted':
      memory.countEvicted();
      going.add(uid);
      pass.leaving.push(fullName(pod.metadata));
      return true;
    case 'gone':
      pass.left--;
      return true;
    case 'blocked': {
      const { cause, blocker, owner, budget } = eviction;
      pass.refused.push({ pod, cause, blocker, owner, budget, since: memory.refusedSince(uid) });
      if ('retryAfterMs' in eviction) memory.refusedFor(uid, { retryAfterMs: eviction.retryAfterMs ?? (cause === 'refused' ? REFUSED_MS : undefined), refused: { cause: eviction.cause, blocker, owner, budget } });
      return false;
    }
  }
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
): Promise<Pick<Refusal, 'cause' | 'blocker' | 'owner' | 'budget'> | undefined> {
  const owner = async (): Promise<string> => ownerText(await ownerOf(clients, pod));
  if (drain.surgeSingletons) {
    const { wait, note } = await surgeBefore(clients, ref, pod);
    if (note !== undefined) memory.note(note);
    if (wait !== undefined) return { cause: 'singleton', blocker: wait, owner: await owner() };
  }
  const last = await lastBackendBlocker(clients, pod, { services, going });
  return last === undefined ? undefined : { cause: 'webhook', blocker: last, owner: await owner() };
}
