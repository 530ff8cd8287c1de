import type { Instance } from '@aws-sdk/client-ec2';
import type { V1Node } from '@kubernetes/client-node';
import { directionOf } from '../../domain/directions/index.js';
import { instanceIdOf, isReady, zoneOf } from '../../domain/kubernetes/resources.js';
import { shardOf } from '../../domain/ledger.js';
import { AGENT_NOT_READY_TAINT, KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker, NodeResult } from '../../domain/refresh.js';
import { freedBy, ownFirst, ruledOut } from '../../domain/replacements.js';
import type { Spoken } from '../../domain/replacements.js';
import type { Look, NodeRequest } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { driverOf } from '../drivers/find.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { judgeOf, lack } from './replacement/index.js';
import type { Judge } from './replacement/index.js';
import { claim, spoken } from './terminations.js';

type Replacement = NonNullable<NodeResult['replacement']>;
type ReplacementRequest = NodeRequest & { instancesBefore: string[]; known: string };

/**
 * Done when a new instance of the node's own pool is a node that the run's direction finds good (replacement/); at once where its
 * driver knows that none is due.
 */
export function lookReplacement(clients: Clients, request: ReplacementRequest): Promise<Look & { replacement: Replacement | null }> {
  const old = new Set([...request.instancesBefore, request.node.instanceId]);
  const fresh = new Set<string>();
  const matters = (event: ClusterEvent): boolean => {
    if (event.kind === 'Pod') return event.object.metadata?.namespace === KUBE_SYSTEM && fresh.has(event.object.spec?.nodeName ?? '');
    if (event.kind !== 'Node' || old.has(instanceIdOf(event.object) ?? '')) return false;
    fresh.add(event.object.metadata?.name ?? '');
    return true;
  };
  return linger(clients, matters, () => replacementPass(clients, request));
}

async function replacementPass(clients: Clients, { target, node: ref, instancesBefore, known }: ReplacementRequest): Promise<Look & { replacement: Replacement | null }> {
  const [driver, claims] = await Promise.all([driverOf(clients, ref), spoken(clients)]);
  const { instances, awaited } = await driver.candidates(clients, ref, ruledOut(ref.instanceId, instancesBefore, claims));
  let best: { node: V1Node | undefined; instance: Instance; blockers: Blocker[] } | undefined;
  for (const instance of await likeliest(clients, ref, ownFirst(ref.instanceId, instances, claims))) {
    const judged = await judge(clients, instance, judgeOf(directionOf(target)));
    // The one that is furthest on is the one to talk about.
    if (best === undefined || judged.blockers.length < best.blockers.length) best = { instance, ...judged };
    if (best.blockers.length === 0) break;
  }
  const blockers = [...(best?.blockers ?? awaited)];
  const proven = blockers.length === 0;
  // None is due where there is none and none is awaited.
  const done = proven && (best === undefined || (await take(clients, ref, { taken: best.instance, instances, claims })));
  if (proven && !done) blockers.push({ object: driver.title(ref.group), reason: 'its newest instance replaces another node', todo: 'One of its own is awaited.' });
  const replacement =
    done && best !== undefined ? { name: best.node?.metadata?.name ?? '', instanceId: best.instance.InstanceId ?? '', zone: (best.node && zoneOf(best.node)) || (best.instance.Placement?.AvailabilityZone ?? '') } : null;
  return look({ known, done, blockers, seenOf: blockers.map(({ object, reason }) => [object, reason]), settle: { ms: SETTLE_MS, firm: false }, extra: { replacement } });
}

/** Claims one, and leaves the others that are older to whoever needs one. */
async function take(clients: Clients, { instanceId }: NodeRef, { taken, instances, claims }: { taken: Instance; instances: Instance[]; claims: Spoken }): Promise<boolean> {
  const launched = instances.map(({ InstanceId = '', LaunchTime }) => ({ id: InstanceId, at: LaunchTime?.getTime() ?? 0 }));
  const replacement = taken.InstanceId ?? '';
  return claim(clients, { replacement, replaces: instanceId, frees: freedBy(replacement, launched, claims) });
}

/** A boot goes through some states in a blink (no Node, no agent, a taint); each that is told is a round trip of the node's workflow. */
const SETTLE_MS = 3_000;

/** Candidates that one pass looks at. With fifty nodes in flight each has fifty: looking at all of them would cost the square of that. */
const JUDGED = 3;
/** How long those beside the first stay the same. */
const TURN_MS = 2_000;

/**
 * The candidates worth a look, by what the watch knows: those that seem to be ready come first, for each node in another order. The
 * first stays the same, since it is talked about; the others change, so that none is overlooked for long.
 */
async function likeliest(clients: Clients, ref: NodeRef, instances: Instance[]): Promise<Instance[]> {
  if (instances.length <= JUDGED) return instances;
  const { nodes } = await clients.events.snapshot();
  const ready = new Set(nodes.filter((node) => isReady(node) && !(node.spec?.taints ?? []).some(({ key }) => key === AGENT_NOT_READY_TAINT)).map(instanceIdOf));
  const turned = (some: Instance[], by: number): Instance[] => [...some.slice(by % some.length), ...some.slice(0, by % some.length)];
  const likely = instances.filter(({ InstanceId }) => ready.has(InstanceId));
  const [first, ...others] = turned(likely.length > 0 ? likely : instances, Number(shardOf(ref.uid || ref.instanceId)));
  const rest = others.length > 0 ? others : instances.filter((instance) => instance !== first);
  return [...(first === undefined ? [] : [first]), ...turned(rest, Math.floor(Date.now() / TURN_MS)).slice(0, JUDGED - 1)];
}

/** What a replacement still lacks: the first thing, since the rest follows from it. */
async function judge(clients: Clients, instance: Instance, judgeNode: Judge): Promise<{ node: V1Node | undefined; blockers: Blocker[] }> {
  const id = instance.InstanceId ?? '';
  if (instance.State?.Name === 'pending') return { node: undefined, blockers: [lack(`Instance ${id}`, 'is pending', 'It is awaited.')] };
  const node = await nodeOf(clients, instance);
  if (node === undefined) {
    return { node, blockers: [lack(`Instance ${id}`, 'is running, but no Node has come of it yet', 'It is awaited; if it stays, look at its console output: its kubelet does not join.')] };
  }
  return { node, blockers: await judgeNode(clients, node) };
}

/** By the name that EC2 gave the instance, which is the Node's on EKS; else by the name that the watch knows. */
async function nodeOf(clients: Clients, instance: Instance): Promise<V1Node | undefined> {
  const name = instance.PrivateDnsName;
  const named = name ? await orUndefined(clients.kube.core.readNode({ name })) : undefined;
  if (named !== undefined && instanceIdOf(named) === instance.InstanceId) return named;
  const other = (await clients.events.snapshot()).nodes.find((node) => instanceIdOf(node) === instance.InstanceId)?.metadata?.name;
  const found = other === undefined ? undefined : await orUndefined(clients.kube.core.readNode({ name: other }));
  return found !== undefined && instanceIdOf(found) === instance.InstanceId ? found : undefined;
}
