import type { NodeRef } from '../../domain/plan.js';
import type { WorkloadReady } from '../../domain/refresh.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { hold } from './guard.js';
import { cordonGuard } from './guards/cordon.js';
import { lbExclusionGuard } from './guards/lbExclusion.js';
import { giveBackNode } from './guards.js';
import { podsOnNode } from './lists.js';
import { dropTerminations } from './terminations.js';
import { workloadsOf } from './workloads.js';

const none = (): Promise<[]> => Promise.resolve([]);

/** Ledger, then cordon and load-balancer exclusion. A cordon of somebody else's is left theirs. */
export async function cordonNode(clients: Clients, ref: NodeRef): Promise<{ workloads: WorkloadReady[] }> {
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  if (node?.metadata?.uid !== ref.uid) return { workloads: [] };
  // Counted before anything moves.
  const workloads = await workloadsOf(clients, await podsOnNode(clients, ref.name));
  for (const guard of [cordonGuard, lbExclusionGuard]) await hold(clients, { ...guard, wanted: none }, [guard.entryFor(node)]);
  return { workloads: workloads.map(({ kind, namespace, name, ready }) => ({ kind, namespace, name, ready })) };
}

/** The node as it was found, as far as it is ours; its entries go, also where the Node is gone. */
export async function releaseNode(clients: Clients, ref: NodeRef): Promise<void> {
  await giveBackNode(clients, ref.uid);
  await dropTerminations(clients, ref.instanceId);
}
