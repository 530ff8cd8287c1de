import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { drainVerdict, evictionOrder } from '../../domain/kubernetes/drain.js';
import { fullName, readyCondition } from '../../domain/kubernetes/resources.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look, NodeRequest } from '../api.js';
import type { DrainSpec } from '../../domain/spec/schema.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { carriedNow, carry, look, stopIfCancelled } from '../look.js';
import { evict } from './evict.js';
import { podsOnNode } from './lists.js';

/** A pod that should be gone this long ago, on a node whose kubelet is silent, will never be seen to go (as in Cluster API). */
const STALE_MS = 60_000;

type DrainRequest = NodeRequest & { drain: DrainSpec; known: string };

/** One pass of evictions. Done when no pod is left that a drain removes. */
export async function lookDrained(clients: Clients, { node: ref, drain, known }: DrainRequest): Promise<Look & { evicted: number }> {
  const before = evictedBefore();
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  // Gone, or another one of that name: its pods are none of ours.
  if (node?.metadata?.uid !== ref.uid) return look({ known, done: true, blockers: [], seenOf: 'gone', extra: { evicted: before } });

  const blocked: Blocker[] = [];
  const evictable: { pod: V1Pod; tier: number }[] = [];
  for (const pod of await podsOnNode(clients, ref.name)) {
    const verdict = drainVerdict(pod, drain);
    if (verdict.act === 'leave' || isStale(pod, node)) continue;
    if (verdict.act === 'block') blocked.push({ object: `Pod ${fullName(pod.metadata)}`, reason: verdict.reason, todo: verdict.todo });
    else evictable.push({ pod, tier: verdict.tier });
  }
  const pass = await evictTier(clients, evictable, before);
  blocked.push(...pass.blocked);
  const waiting: Blocker[] =
    pass.leaving.length === 0 ? [] : [{ object: `Node ${ref.name}`, reason: `${pass.leaving.length} pods are terminating (${pass.leaving.slice(0, 3).join(', ')}${pass.leaving.length > 3 ? ' …' : ''})`, todo: 'They are awaited.' }];
  return look({
    known,
    done: blocked.length === 0 && pass.left === 0,
    blockers: [...blocked, ...waiting],
    // Pods that come and go are no news; who blocks, and why, is.
    seenOf: blocked.map(({ object, reason }) => [object, reason]).sort(),
    // The server's word counts only where there is nothing else to wait for.
    retryAfterMs: waiting.length === 0 ? pass.retryAfterMs : undefined,
    extra: { evicted: pass.evicted },
  });
}

interface Pass {
  evicted: number;
  /** Names of pods that are terminating. */
  leaving: string[];
  /** Pods of any tier that are not gone yet. */
  left: number;
  blocked: Blocker[];
  retryAfterMs?: number;
}

/** Evicts the lowest tier that still has pods: critical ones stay while an ordinary one cannot go. */
async function evictTier(clients: Clients, pods: { pod: V1Pod; tier: number }[], before: number): Promise<Pass> {
  const pass: Pass = { evicted: before, leaving: [], left: pods.length, blocked: [] };
  const lowest = Math.min(...pods.map(({ tier }) => tier));
  for (const { pod } of evictionOrder(pods).filter(({ tier }) => tier === lowest)) {
    const name = fullName(pod.metadata);
    if (pod.metadata?.deletionTimestamp !== undefined) {
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
        carry({ evicted: pass.evicted });
        break;
      case 'gone':
        pass.left--;
        break;
      case 'blocked':
        pass.blocked.push(eviction.blocker);
        pass.retryAfterMs = eviction.retryAfterMs === undefined ? pass.retryAfterMs : Math.min(eviction.retryAfterMs, pass.retryAfterMs ?? Infinity);
        break;
    }
  }
  return pass;
}

/** Evictions of earlier attempts of this look, whose results NotYet swallowed. */
function evictedBefore(): number {
  const carried = carriedNow();
  return typeof carried === 'object' && carried !== null && 'evicted' in carried && typeof carried.evicted === 'number' ? carried.evicted : 0;
}

function isStale(pod: V1Pod, node: V1Node): boolean {
  const due = pod.metadata?.deletionTimestamp;
  return due !== undefined && readyCondition(node)?.status === 'Unknown' && Date.now() - due.getTime() > STALE_MS;
}
