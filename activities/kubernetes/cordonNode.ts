import type { NodeRef } from '../../domain/plan.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { hold } from './guard.js';
import { cordonGuard } from './guards/cordon.js';
import { lbExclusionGuard } from './guards/lbExclusion.js';
import { giveBackNode } from './guards.js';
import { dropTermination } from './terminations.js';

/** Ledger, then cordon and load-balancer exclusion. A cordon of somebody else's is left theirs. */
export async function cordonNode(clients: Clients, ref: NodeRef): Promise<void> {
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  if (node?.metadata?.uid !== ref.uid) return;
  await hold(clients, [cordonGuard, lbExclusionGuard].map((guard) => ({ guard, ...guard.entryFor(node) })));
}

/** The node as it was found, as far as it is ours; its entries go, also where the Node is gone. */
export async function releaseNode(clients: Clients, ref: NodeRef): Promise<void> {
  await giveBackNode(clients, ref.uid);
  await dropTermination(clients, ref);
}
