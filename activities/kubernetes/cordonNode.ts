import type { NodeRef } from '../../domain/plan.js';
import { isEnding } from '../aws/terminate.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { hold } from './guard.js';
import { cordonGuard } from './guards/cordon.js';
import { lbExclusionGuard } from './guards/lbExclusion.js';
import { giveBackNode } from './guards.js';
import { dropTermination, isDecremented } from './terminations.js';

/** Ledger, then cordon and load-balancer exclusion. A cordon of somebody else's is left theirs. */
export async function cordonNode(clients: Clients, ref: NodeRef): Promise<void> {
  const node = await orUndefined(clients.kube.core.readNode({ name: ref.name }));
  if (node?.metadata?.uid !== ref.uid) return;
  await hold(clients, [cordonGuard, lbExclusionGuard].map((guard) => ({ guard, ...guard.entryFor(node) })));
}

/**
 * The node as it was found, as far as it is ours; its entries go, also where the Node is gone. Where its group was to shrink by it
 * and AWS would not end it, one of the nodes that a surge added is still to be taken back.
 */
export async function releaseNode(clients: Clients, ref: NodeRef): Promise<void> {
  await giveBackNode(clients, ref.uid);
  const happened = !(await isDecremented(clients, ref)) || (await isEnding(clients, ref));
  await dropTermination(clients, ref, { happened });
}
