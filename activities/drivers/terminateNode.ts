import { CiliateError } from '../../domain/failures.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeRequest } from '../api.js';
import { endedAt, isGoing, readInstance } from '../aws/instances.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { touchedAt } from '../kubernetes/guardsLedger.js';
import { registeredSince } from '../kubernetes/observeNode.js';
import { readTermination, recordTermination } from '../kubernetes/terminations.js';
import type { Termination } from '../kubernetes/terminations.js';
import type { ReplacementDriver } from './driver.js';
import { driverOf } from './find.js';

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
  if (!ending.ask) return recorded ?? (going ? termination : { ...termination, instancesBefore: (await beforeCordon(clients, node, driver)) ?? instancesBefore });
  await assertStillWithoutNode(clients, node);
  if (recorded?.decremented !== termination.decremented) await recordTermination(clients, node, termination);
  await driver.terminate(clients, { ...request, decrement: termination.decremented });
  return termination;
}

/** Somebody else began its end while it was drained, and its replacement may be there already: it came after our cordon. */
async function beforeCordon(clients: Clients, node: NodeRef, driver: ReplacementDriver): Promise<string[] | undefined> {
  const since = await touchedAt(clients, node.uid);
  return since && driver.instancesBefore(clients, node, since);
}

/** What was drained is the Node that there was, or nothing where there was none: if another has come meanwhile, it is not the moment. */
async function assertStillWithoutNode(clients: Clients, ref: NodeRef): Promise<void> {
  const late = ref.uid === '' ? await registeredSince(clients, ref) : await registeredOver(clients, ref);
  if (late === undefined) return;
  const drained = ref.uid === '' ? 'it to have no Node' : `it to have no Node but the one that was drained (UID ${ref.uid})`;
  throw new CiliateError(
    'Permanent',
    { object: `Instance ${ref.instanceId}`, expected: drained, seen: `Node ${late}`, todo: `It was not drained: ciliate skip CLUSTER ${ref.instanceId} --reason TEXT` },
    { code: 'RegisteredSince' },
  );
}

/** The Node that this instance has in place of the one that was drained. */
async function registeredOver({ kube: { core } }: Clients, ref: NodeRef): Promise<string | undefined> {
  const named = await orUndefined(core.readNode({ name: ref.name }));
  if (named === undefined || named.metadata?.uid === ref.uid) return undefined;
  const text = `${ref.name} (UID ${named.metadata?.uid})`;
  const instance = instanceIdOf(named);
  if (instance === undefined) {
    throw new CiliateError('NotYet', { object: `Node ${text}`, expected: 'an instance in its providerID', seen: 'none yet', todo: 'It is awaited.' }, { code: 'NotYet' });
  }
  return instance === ref.instanceId ? text : undefined;
}
