import type { WorkloadReady } from '../../domain/refresh.js';
import { directionOf } from '../../domain/directions/index.js';
import type { Look, NodeRequest, NodeSituation } from '../api.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { cordonNode } from './cordonNode.js';
import { observeNode } from './observeNode.js';
import { roomBlockers } from './room.js';

/** Observes, waits for room, cordons: all in one pass, so that what is cordoned was looked at a moment before. */
export async function prepareNode(clients: Clients, { target, node, surplus, known }: NodeRequest & { surplus: boolean; known: string }): Promise<Look & { situation: NodeSituation; workloads: WorkloadReady[] }> {
  // Counted before anything moves.
  const direction = directionOf(target);
  const [seen, found] = await Promise.all([observeNode(clients, node, direction), roomBlockers(clients, node, direction)]);
  // On the new agent it is meant to be, where it is one too many. Registered anew, it comes again as that.
  const situation: NodeSituation = surplus && seen.state === 'hands-off' ? { ...seen, state: seen.anew === true ? 'gone' : 'present' } : seen;
  const present = situation.state === 'present';
  const room = present ? found : { blockers: [], workloads: [] };
  const done = room.blockers.length === 0;
  if (done && present) await cordonNode(clients, node);
  const workloads = room.workloads.map(({ wanted: _, ...before }) => before);
  return look({ known, done, blockers: room.blockers, seenOf: room.blockers.map(({ object, reason }) => [object, reason]), extra: { situation, workloads } });
}
