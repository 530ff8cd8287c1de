import type { V1Pod } from '@kubernetes/client-node';
import { fullName, podReady } from '../../../domain/kubernetes/resources.js';
import { restartDecision, restartStep } from '../../../domain/kubernetes/restart.js';
import type { RestartOwner } from '../../../domain/kubernetes/restart.js';
import { BARE, restartName } from '../../../domain/kubernetes/restartOwner.js';
import type { Blocker } from '../../../domain/refresh.js';
import type { Restarted, RestartRequest } from '../../api.js';
import type { ClusterEvent } from '../../clients/events.js';
import type { Clients } from '../../clients/index.js';
import { linger } from '../../linger.js';
import { look, stopIfCancelled } from '../../look.js';
import { evict } from '../evict.js';
import { patchTemplate } from './patchTemplate.js';
import { RestartMemory } from './restartMemory.js';
import { seeOwner } from './seeOwner.js';
import type { Attempt, OwnerSight } from './seeOwner.js';

type Request = Omit<RestartRequest, 'target'>;

/** What a pass did, or what it waits for. */
interface Step {
  blockers: Blocker[];
  rolled?: boolean;
  retryAfterMs?: number;
}

/** Done when every pod of this owner is one of Cilium's and it is whole again. Each pass does one thing at most. */
export function lookRestarted(clients: Clients, request: Request): Promise<Restarted> {
  const attempt: Attempt = { memory: new RestartMemory(), agents: new Map() };
  const { namespace } = request.owner;
  const matters = (event: ClusterEvent): boolean => {
    if (event.object.metadata?.namespace !== namespace) return false;
    if (event.kind === 'Pod') return event.type === 'DELETED' || podReady(event.object);
    return event.kind === 'PodDisruptionBudget' && (event.object.status?.disruptionsAllowed ?? 0) > 0;
  };
  return linger(clients, matters, () => restartPass(clients, request, attempt));
}

async function restartPass(clients: Clients, request: Request, attempt: Attempt): Promise<Restarted> {
  const { known, mark } = request;
  const { memory } = attempt;
  const sight = await seeOwner(clients, request, attempt);
  const marked = sight?.seen.workload?.mark === mark;
  const step = sight === undefined ? undefined : await takeStep(clients, request, { sight, memory });
  // Its progress, and what needs a person: the rest comes and goes.
  const firm = (step?.blockers ?? []).filter((blocker) => blocker.firm).map(({ object, reason }) => [object, reason]);
  const seenOf = sight === undefined ? 'gone' : { left: restartStep(sight.seen), firm };
  const extra = { evicted: memory.evicted, rolled: marked || step?.rolled === true };
  return look({ known, done: step === undefined, blockers: step?.blockers ?? [], seenOf, retryAfterMs: step?.retryAfterMs, extra });
}

/** Undefined: done. */
async function takeStep(clients: Clients, { owner, mark, known }: Request, { sight, memory }: { sight: OwnerSight; memory: RestartMemory }): Promise<Step | undefined> {
  const decision = restartDecision(sight.seen);
  switch (decision.act) {
    case 'done':
      return undefined;
    case 'wait':
      return { blockers: decision.blockers };
    case 'rollout': {
      stopIfCancelled();
      const rolled = await patchTemplate(clients, owner, { mark, resourceVersion: sight.resourceVersion });
      const reason = rolled ? 'its rollout has begun' : 'it changed while it was to be restarted';
      return { rolled, blockers: [{ object: restartName(owner), reason, todo: rolled ? followUp(owner) : 'It is read and tried again.' }] };
    }
    case 'evict': {
      // A first look ends here in any case, and with it the memory that makes the next eviction wait for the successor of this one.
      if (known === '' && sight.seen.workload === undefined && owner.kind !== BARE) return { blockers: [{ object: restartName(owner), reason: 'its pods are evicted one by one', todo: followUp(owner) }] };
      const { pods } = sight.seen;
      return evictOne(clients, decision.pod, () => memory.countEvicted(pods.ready + pods.unready));
    }
  }
}

async function evictOne(clients: Clients, pod: V1Pod, count: () => void): Promise<Step> {
  stopIfCancelled();
  const eviction = await evict(clients, pod);
  if (eviction.result === 'blocked') return { blockers: [eviction.blocker], retryAfterMs: eviction.retryAfterMs };
  if (eviction.result === 'evicted') count();
  return { blockers: [{ object: `Pod ${fullName(pod.metadata)}`, reason: eviction.result === 'evicted' ? 'it was evicted' : 'it has gone', todo: 'Its end is awaited.' }] };
}

function followUp({ namespace }: RestartOwner): string {
  return `It is awaited: kubectl -n ${namespace} get pods`;
}
