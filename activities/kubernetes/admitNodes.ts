import { nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import { admit } from '../../domain/pool/admit.js';
import { survey } from '../../domain/pool/survey.js';
import type { AdmitRequest, Admitted } from '../api.js';
import { callOffLaunches } from '../aws/callOffLaunches.js';
import { raiseCapacity } from '../aws/raiseCapacity.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { listNodes } from './lists.js';
import { readPool } from './readPool.js';

/** What could let another node start: a node that became usable, a budget that frees, a pod that left a node in flight. */
export function admitsMore(event: ClusterEvent): boolean {
  switch (event.kind) {
    case 'Node':
      return true;
    case 'Pod':
      return event.type === 'DELETED';
    case 'PodDisruptionBudget':
      return (event.object.status?.disruptionsAllowed ?? 0) > 0;
  }
}

/** Done when a node may start, or none is left to start. */
export function admitNodes(clients: Clients, request: AdmitRequest): Promise<Admitted> {
  return linger(clients, admitsMore, () => pass(clients, request));
}

async function pass(clients: Clients, { refresh, ramp, exclude, later, flights, known }: AdmitRequest): Promise<Admitted> {
  const [seen, alone] = await Promise.all([readPool(clients), leftAlone(clients, refresh.leaveAlone)]);
  const { view, most, maxSurge, oldNodes, unlaunched } = survey({ ...seen.survey, flights, exclude: [...exclude, ...alone], later, ramp, refresh });
  await raiseCapacity(clients, { extra: maxSurge, groups: oldNodes.filter(({ name }) => nodePoolOf(name) === undefined) }, seen);
  // What would be launched only to go again.
  if (unlaunched > 0) await callOffLaunches(clients, seen);
  const { start, waits } = admit(view);
  const left = view.candidates.length + unlaunched;
  const old = new Set(seen.survey.nodes.filter((node) => node.old).map(({ ref }) => ref.instanceId));
  const blockers = waits.map(({ node, why }) => ({ object: `Node ${node.name}`, reason: `waits for its turn: ${why}`, todo: 'It is started as soon as that is over.' }));
  const labelled = seen.survey.nodes.filter(({ labels }) => labels[CNI_LABEL] === CNI_LABEL_AWS).map(({ ref }) => ref.name);
  return look({
    known,
    done: start.length > 0 || left === 0,
    blockers,
    seenOf: blockers.map(({ object, reason }) => [object, reason]),
    extra: { start: start.map((each) => ({ ...each, surplus: !old.has(each.node.instanceId) })), counts: seen.counts, remaining: left, most, groups: oldNodes.map(({ name }) => name), leftAlone: labelled.filter((name) => alone.includes(name)) },
  });
}

async function leftAlone(clients: Clients, selector: string | undefined): Promise<string[]> {
  if (selector === undefined) return [];
  return (await listNodes(clients, selector)).map((node) => node.metadata?.name ?? '');
}
