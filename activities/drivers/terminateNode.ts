import { CiliateError } from '../../domain/failures.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeRequest } from '../api.js';
import { endedAt, isGoing, readInstance } from '../aws/instances.js';
import type { Clients } from '../clients/index.js';
import { registeredSince } from '../kubernetes/observeNode.js';
import { readTermination, recordTermination } from '../kubernetes/terminations.js';
import type { Termination } from '../kubernetes/terminations.js';
import { driverOf } from './index.js';

/**
 * Asks the node's driver for its end, once. Which instances the pool had, and whether it is to shrink, is written to the ledger
 * before: after a crash it may already have the replacement, and nobody could tell it from the others. Once it is going, what was
 * written stands: the sizes of that moment would say something else.
 */
export async function terminateNode(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<Termination> {
  const { node } = request;
  const [driver, recorded, seen] = await Promise.all([driverOf(clients, node), readTermination(clients, node), readInstance(clients, node.instanceId)]);
  const going = isGoing(seen.state);
  if (going && recorded !== undefined) return recorded;
  const [instancesBefore, ending] = await Promise.all([
    recorded?.instancesBefore ?? driver.instancesBefore(clients, node, going ? endedAt(seen.instance) : undefined),
    driver.ending(clients, request, going),
  ]);
  const termination: Termination = { instancesBefore, decremented: ending.decrement };
  if (!ending.ask) return recorded ?? termination;
  await assertStillWithoutNode(clients, node);
  if (recorded?.decremented !== termination.decremented) await recordTermination(clients, node, termination);
  await driver.terminate(clients, { ...request, decrement: termination.decremented });
  return termination;
}

/** Nothing was drained where there was no Node: if one has come meanwhile, it is not the moment. */
async function assertStillWithoutNode(clients: Clients, ref: NodeRef): Promise<void> {
  const late = await registeredSince(clients, ref);
  if (late === undefined) return;
  throw new CiliateError(
    'Permanent',
    { object: `Instance ${ref.instanceId}`, expected: 'it to have no Node', seen: `Node ${late}`, todo: `It was not drained: ciliate skip CLUSTER ${ref.instanceId} --reason TEXT` },
    { code: 'RegisteredSince' },
  );
}
