import type { NodeRequest } from '../api.js';
import { endedAt, isGoing, readInstance } from '../aws/instances.js';
import type { Clients } from '../clients/index.js';
import { readTermination, recordTermination } from '../kubernetes/terminations.js';
import { driverOf } from './index.js';

/**
 * Asks the node's driver for its end, once. Which instances the pool had is written to the ledger before: after a crash it may
 * already have the replacement, and nobody could tell it from the others.
 */
export async function terminateNode(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<{ instancesBefore: string[] }> {
  const { node } = request;
  const driver = await driverOf(clients, node);
  const recorded = await readTermination(clients, node.instanceId);
  const seen = await readInstance(clients, node.instanceId);
  const going = isGoing(seen.state);
  const instancesBefore = recorded ?? (await driver.instancesBefore(clients, node, going ? endedAt(seen.instance) : undefined));
  if (going) return { instancesBefore };
  if (recorded === undefined) await recordTermination(clients, node.instanceId, instancesBefore);
  await driver.terminate(clients, request);
  return { instancesBefore };
}
