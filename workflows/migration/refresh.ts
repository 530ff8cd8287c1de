import {
  condition,
  ParentClosePolicy,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { sha256Hex } from '../../domain/digest.js';
import { canaryText } from '../../domain/gates.js';
import { nodeWorkflowId } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { NodeResult } from '../../domain/refresh.js';
import { acts } from '../activityProxies.js';
import { now } from '../clock.js';
import { steerSignal } from '../messages.js';
import type { Steering } from '../messages.js';
import type { refreshNode } from '../refreshNode.js';
import type { Migration } from './migration.js';

/**
 * Node after node, each in its own child workflow, until no labelled node is left but those that were skipped. The first is
 * the canary. Which node is next is asked of the cluster every time: position in a list is never trusted.
 */
export async function refreshNodes(migration: Migration): Promise<string> {
  for (;;) {
    await migration.safePoint();
    // Every time: nodes have come since, and the guards on nodes are taken for them too.
    const [{ next, counts }] = await Promise.all([nextNode(migration), migration.holdChanging()]);
    migration.book.counts = counts;
    migration.show();
    if (!next) break;
    const result = await refreshOne(migration, next);
    record(migration, result);
    if (!migration.book.canaryDone && result.outcome === 'refreshed') {
      await migration.gate('after-canary', () => Promise.resolve(verdict(migration, result)));
      migration.book.canaryDone = true;
    }
  }
  await migration.letBreathe();
  const refreshed = migration.book.nodes.filter((node) => node.outcome === 'refreshed').length;
  return `${refreshed} nodes refreshed`;
}

/** The next node; one that was postponed comes again, once, when no other is left. */
async function nextNode(migration: Migration): Promise<Awaited<ReturnType<typeof acts.nextNode>>> {
  const skipped = migration.control.skipped.flatMap(({ name, instanceId }) => [name, instanceId]);
  const postponed = (times: number) => Object.entries(migration.book.postponed).flatMap(([id, count]) => (count >= times ? [id] : []));
  const ask = (exclude: string[]) => migration.step(() => acts.nextNode({ target: migration.target, exclude: [...skipped, ...exclude] }));
  const first = await ask(postponed(1));
  return first.next !== null || postponed(1).length === postponed(2).length ? first : ask(postponed(2));
}

async function refreshOne(migration: Migration, node: NodeRef): Promise<NodeResult> {
  migration.flying.set(node.instanceId, { node, step: 'prepare', since: now(), blockers: [], paused: false });
  migration.control = { ...migration.control, flying: [{ name: node.name, instanceId: node.instanceId }] };
  try {
    const steering = steeringOf(migration, node);
    const child = await start(migration, node, steering);
    return await supervise(migration, child, { node, steering });
  } finally {
    migration.flying.delete(node.instanceId);
    migration.control = { ...migration.control, flying: [] };
  }
}

/** The node's workflow id is its lock: one that is still open (its parent was terminated) is on its way back, so it is awaited. */
async function start(migration: Migration, node: NodeRef, steering: Steering): Promise<ChildWorkflowHandle<typeof refreshNode>> {
  const { target, manifest } = migration;
  for (;;) {
    try {
      return await startChild<typeof refreshNode>('refreshNode', {
        workflowId: nodeWorkflowId(target.migration, node.instanceId),
        args: [{ target, node, decrement: manifest.spec.refresh.shouldDecrementDesiredCapacity, steering }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${node.name} in ${node.group}, ${node.zone}`.slice(0, 200),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      migration.throwIfAborted();
      await sleep('2s');
    }
  }
}

/** Passes on what operators say while the node is in flight, until it ends. Its end always comes: nothing here ends it. */
async function supervise(
  migration: Migration,
  child: ChildWorkflowHandle<typeof refreshNode>,
  { node, steering }: { node: NodeRef; steering: Steering },
): Promise<NodeResult> {
  let result: NodeResult | undefined;
  const ended = child.result().then((value) => (result = value));
  let failed = false;
  void ended.catch(() => (failed = true));
  let told = JSON.stringify(steering);
  let resting = false;
  for (;;) {
    const wanted = () => JSON.stringify(steeringOf(migration, node));
    const rests = () => migration.flying.get(node.instanceId)?.paused === true;
    await condition(() => result !== undefined || failed || wanted() !== told || rests() !== resting);
    if (result ?? failed) return await ended;
    if (rests() !== resting) {
      resting = rests();
      // A node that rests in the middle of its drain changes nothing: the cluster gets its own life back meanwhile.
      if (resting) await migration.letBreathe();
    }
    if (wanted() !== told) {
      const next = steeringOf(migration, node);
      if (resting && !next.paused && next.handBack === null) await migration.holdChanging();
      told = JSON.stringify(next);
      await child.signal(steerSignal, next).catch(() => undefined);
    }
  }
}

function steeringOf(migration: Migration, node: NodeRef): Steering {
  const { control } = migration;
  const skipped = control.skipped.some((skip) => skip.instanceId === node.instanceId || skip.name === node.name);
  return {
    paused: control.paused !== null,
    handBack: control.abort ? `aborted: ${control.abort.reason}` : skipped ? 'skipped' : null,
    retries: control.retries[node.instanceId] ?? 0,
    drain: control.settings.drain,
    forced: control.forced[node.instanceId] ?? [],
  };
}

/** A node is in the report once: what was handed back and tried again is replaced. */
function record(migration: Migration, result: NodeResult): void {
  const others = migration.book.nodes.filter((node) => node.node.instanceId !== result.node.instanceId);
  migration.book.nodes = [...others, result];
  if (result.outcome === 'refreshed') {
    // Until the cluster is asked again, so that a gate that opens now shows how far it is.
    const { aws, cilium, pending } = migration.book.counts;
    migration.book.counts = { aws: Math.max(0, aws - 1), cilium: cilium + (result.replacement ? 1 : 0), pending };
  }
  migration.note('notes', (result.notes ?? []).map((note) => `Node ${result.node.name}: ${note}`));
  if (result.outcome === 'postponed') migration.book.postponed[result.node.instanceId] = (migration.book.postponed[result.node.instanceId] ?? 0) + 1;
  if (result.outcome === 'unproven') migration.note('notes', [`Node ${result.node.name}: ${result.why ?? 'not proven'}`]);
}

/** What after-canary decides on: that this node was replaced by that one, and what was proven of it. */
function verdict(migration: Migration, result: NodeResult): { digest: string; shows: string[] } {
  const shows = [
    `${result.node.name} (${result.node.instanceId}, ${result.node.group}) was ${result.outcome}`,
    result.replacement
      ? `its replacement ${result.replacement.name} (${result.replacement.instanceId}, ${result.replacement.zone}) is Ready on Cilium, with IPs, without aws-node`
      : 'no replacement was asked for (shouldDecrementDesiredCapacity)',
    `${result.evictedPods} pods evicted; their workloads have their ready replicas back`,
    `${migration.book.counts.aws} nodes are left`,
  ];
  return { digest: sha256Hex(canaryText(result)), shows };
}
