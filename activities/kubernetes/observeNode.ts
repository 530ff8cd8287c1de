import type { V1Node } from '@kubernetes/client-node';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { isOld, oldSelector } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { AWS_NODE } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeSituation } from '../api.js';
import { isGoing, readInstance } from '../aws/instances.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { agentsOn, listNodes } from './lists.js';

/** What is true of the node right now. A Node of the same name and another UID is another node. */
export async function observeNode(clients: Clients, ref: NodeRef, direction: Direction): Promise<NodeSituation> {
  const late = await registeredSince(clients, ref);
  if (late !== undefined) return { state: 'gone', why: `instance ${ref.instanceId} had no Node and has one now, ${late}: it comes again as that` };
  const [named, { state }] = await Promise.all([orUndefined(clients.kube.core.readNode({ name: ref.name })), readInstance(clients, ref.instanceId)]);
  const node = named?.metadata?.uid === ref.uid ? named : undefined;
  const situation = (seen: NodeSituation['state'], why: string): NodeSituation => ({ state: seen, why });
  if (node === undefined) {
    if (isGoing(state)) return situation('gone', `no Node with UID ${ref.uid}, and instance ${ref.instanceId} is ${state}`);
    return (named !== undefined && registeredAnew(ref, named, direction)) || situation('node-gone', `instance ${ref.instanceId} is ${state}, but its Node is gone`);
  }
  if (isGoing(state)) return situation('instance-gone', `instance ${ref.instanceId} is ${state}, its Node is still there`);
  if (!isOld(direction, node.metadata?.labels)) return situation('hands-off', `Node ${ref.name} does not carry ${oldSelector(direction)}`);
  const present = situation('present', `Node ${ref.name} (${ref.instanceId}) is there`);
  if (direction.sharedByOld) return present;
  const on = await agentsOn(clients, ref.name);
  const agent = direction.agent === AWS_NODE ? on.aws : on.cilium;
  if (agent !== undefined && agent.metadata?.deletionTimestamp === undefined) {
    return situation('hands-off', `Node ${ref.name} carries ${oldSelector(direction)}, but pod ${agent.metadata?.name} of ${direction.agent} runs on it`);
  }
  return present;
}

/**
 * What a Node of this name with another UID is, where it is the same instance's: its kubelet registered anew. With the label it
 * comes back as a node of its own; without, the other agent has it. Whatever was drained before, pods have come since.
 */
export function registeredAnew(ref: NodeRef, named: V1Node, direction: Direction): NodeSituation | undefined {
  if (instanceIdOf(named) !== ref.instanceId) return undefined;
  const labelled = isOld(direction, named.metadata?.labels);
  const why = `instance ${ref.instanceId} registered anew as Node ${ref.name} with UID ${named.metadata?.uid}${labelled ? '' : `, without the label ${direction.label.key}`}`;
  return { state: labelled ? 'gone' : 'hands-off', why, anew: true };
}

/** The Node of an instance that had none when it was chosen (`uid` empty): it may have pods by now. */
export async function registeredSince(clients: Clients, ref: NodeRef): Promise<string | undefined> {
  if (ref.uid !== '') return undefined;
  return (await listNodes(clients)).find((node) => instanceIdOf(node) === ref.instanceId)?.metadata?.name;
}
