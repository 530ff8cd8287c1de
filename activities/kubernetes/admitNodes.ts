import { directionOf, isOld } from '../../domain/directions/index.js';
import { isReady } from '../../domain/kubernetes/resources.js';
import { admit } from '../../domain/pool/admit.js';
import { survey } from '../../domain/pool/survey.js';
import type { Surveyed } from '../../domain/pool/survey.js';
import type { AdmitRequest, Admitted, ResizeRequest } from '../api.js';
import { callOffLaunches, hopelessLaunches } from '../aws/callOffLaunches.js';
import { raiseCapacity, raisesOf } from '../aws/raiseCapacity.js';
import type { WantedExtra } from '../aws/raiseCapacity.js';
import { resumeLaunches, stoppedLaunches } from '../aws/stopLaunches.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { listNodes } from './lists.js';
import { readPool } from './readPool.js';
import type { PoolSeen } from './readPool.js';

/** A new node bears Kubernetes' own taint for a moment after it is Ready, budgets follow their pods: what is over by then is no news. */
const SETTLE_MS = 2_000;

/**
 * What could let another node start: a node that became usable or another, a budget that frees, a pod that left a node in flight. One
 * for each listener: it knows what it has heard of each node, since most of what is told of nodes is that they are alive.
 */
export function admitsMore(): (event: ClusterEvent) => boolean {
  const heard = new Map<string, string>();
  return (event) => {
    switch (event.kind) {
      case 'Node': {
        const { metadata, spec } = event.object;
        const told = event.type === 'DELETED' ? '' : JSON.stringify([isReady(event.object), spec?.unschedulable ?? false, spec?.taints ?? [], metadata?.labels ?? {}]);
        const uid = metadata?.uid ?? '';
        const isNews = heard.get(uid) !== told;
        heard.set(uid, told);
        return isNews;
      }
      case 'Pod':
        return event.type === 'DELETED';
      case 'PodDisruptionBudget':
        return (event.object.status?.disruptionsAllowed ?? 0) > 0;
    }
  };
}

/** Done when a node may start, or none is left to start, or sizes are to be changed first. Reads only: nobody waits for its end. */
export function admitNodes(clients: Clients, request: AdmitRequest): Promise<Admitted> {
  return linger(clients, admitsMore(), () => pass(clients, request));
}

/**
 * Changes what admitNodes found to be changed, from what is there by now: extra capacity for a surge up, ledger before sizes;
 * launches that fail, and would only go again, called off. Where a worker died over that, launches go on again.
 */
export async function resizeGroups(clients: Clients, request: ResizeRequest): Promise<{ notes: string[] }> {
  const { seen, extra, unlaunched } = await observe(clients, request);
  if (stoppedLaunches(seen.ledger).length > 0) await resumeLaunches(clients);
  const notes = await raiseCapacity(clients, extra, seen);
  if (unlaunched > 0) await callOffLaunches(clients, seen);
  return { notes };
}

/** What there is, and what the rules make of it. */
async function observe(clients: Clients, { target, refresh, ramp, exclude, later, flights }: ResizeRequest): Promise<Surveyed & { seen: PoolSeen; alone: string[]; extra: WantedExtra }> {
  const [seen, alone] = await Promise.all([readPool(clients, directionOf(target), flights), leftAlone(clients, refresh.leaveAlone)]);
  const surveyed = survey({ ...seen.survey, flights, exclude: [...exclude, ...alone], later, ramp, refresh });
  const extra = { extra: surveyed.maxSurge, groups: surveyed.oldNodes };
  return { ...surveyed, seen, alone, extra };
}

async function pass(clients: Clients, { known, ...request }: AdmitRequest): Promise<Admitted> {
  const direction = directionOf(request.target);
  const { seen, alone, extra, view, most, open, unlaunched } = await observe(clients, request);
  const resize = stoppedLaunches(seen.ledger).length > 0 || raisesOf(extra, seen).length > 0 || (unlaunched > 0 && (await hopelessLaunches(clients, seen)).length > 0);
  const { start, waits } = admit(view);
  const left = view.candidates.length + unlaunched;
  const old = new Set(seen.survey.nodes.filter((node) => node.old).map(({ ref }) => ref.instanceId));
  const blockers = waits.map(({ node, why }) => ({ object: `Node ${node.name}`, reason: `waits for its turn: ${why}`, todo: 'It is started as soon as that is over.' }));
  const labelled = seen.survey.nodes.filter(({ labels }) => isOld(direction, labels)).map(({ ref }) => ref.name);
  return look({
    known,
    done: resize || start.length > 0 || left === 0,
    blockers,
    seenOf: blockers.map(({ object, reason }) => [object, reason]),
    settle: { ms: SETTLE_MS, firm: true, first: true },
    extra: { resize, start: start.map((each) => ({ ...each, surplus: !old.has(each.node.instanceId) })), counts: seen.counts, remaining: left, most, groups: open, leftAlone: labelled.filter((name) => alone.includes(name)) },
  });
}

async function leftAlone(clients: Clients, selector: string | undefined): Promise<string[]> {
  if (selector === undefined) return [];
  return (await listNodes(clients, selector)).map((node) => node.metadata?.name ?? '');
}
