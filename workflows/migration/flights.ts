import { condition, ParentClosePolicy, sleep, startChild } from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { nodeWorkflowId } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Flight } from '../../domain/pool/survey.js';
import { asksForProbes } from '../../domain/probes/asked.js';
import type { NodeResult, NodeStep } from '../../domain/refresh.js';
import { now } from '../clock.js';
import { stepFailure } from '../failure.js';
import { steerSignal } from '../messages.js';
import type { Steering } from '../messages.js';
import type { refreshNode } from '../refreshNode.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';

/** What the pool hears of its nodes. */
export interface FlightEvents {
  ended(result: NodeResult): void;
  /** Its replacement does not come up: told once. */
  failing(node: NodeRef): void;
  /** What is wanted of all of them right now, whatever is said of one. */
  orders(): Pick<Steering, 'paused' | 'handBack' | 'drain'>;
}

/** How a node is refreshed, beyond which. */
export interface FlightPlan {
  decrement: boolean;
  /** A Cilium node that a surge has left over. */
  surplus: boolean;
}

/** Why a node is handed back that an operator skipped. */
export const SKIPPED = 'skipped';
/** How long nodes in flight are left to end before those that still can be are handed back. */
const PATIENCE = '10m';

/** Steps that tell whether a replacement is good. */
const PROVING: NodeStep[] = ['await-replacement', 'await-workloads', 'await-probes'];

/** The nodes in flight: child workflows, what operators say passed on to them, and their ends. */
export class Flights {
  readonly #plans = new Map<string, FlightPlan>();
  readonly #failing = new Set<string>();
  #held = false;
  #comeDown: string | null = null;

  constructor(
    readonly migration: Migration,
    readonly events: FlightEvents,
  ) {}

  get size(): number {
    return this.#plans.size;
  }

  /** What admission needs to know of them. */
  all(): Flight[] {
    return [...this.#plans].map(([instanceId, { decrement }]) => {
      const { step, node } = this.migration.flying.get(instanceId) ?? {};
      return { instanceId, group: node?.group ?? '', decrement, draining: step === 'prepare' || step === 'drain' };
    });
  }

  start(node: NodeRef, plan: FlightPlan): void {
    this.#plans.set(node.instanceId, plan);
    this.migration.flying.set(node.instanceId, { node, step: 'prepare', since: now(), blockers: [], paused: false });
    this.#tellControl();
    void this.#fly(node, plan);
  }

  /** All of them rest in the middle of their drains, or there are none. */
  resting(): boolean {
    return [...this.migration.flying.values()].every(({ paused }) => paused);
  }

  /** While held, a node that rests stays at rest, whatever operators say: the guards are not taken yet. */
  hold(held: boolean): void {
    this.#held = held;
    // Seen by the conditions that steer.
    this.migration.show();
  }

  /** The run ends: what can still be handed back is. Returns when none is in flight. */
  async recall(why: string): Promise<void> {
    this.#comeDown = why;
    await condition(() => this.size === 0);
  }

  /** No new ones: those in flight end, or are handed back where they still can be. */
  async comeDown(why: string): Promise<void> {
    if (!(await condition(() => this.size === 0 || this.migration.control.abort !== null, PATIENCE))) this.#comeDown = why;
    await condition(() => this.size === 0);
    this.#comeDown = null;
  }

  async #fly(node: NodeRef, plan: FlightPlan): Promise<void> {
    try {
      const steering = this.#steering(node);
      const child = await this.#child(node, { ...plan, steering });
      this.events.ended(await this.#supervise(child, node, steering));
    } catch (error) {
      // A child never fails by itself: it was terminated, or could not be started.
      this.events.ended({ node, outcome: 'unproven', why: stepFailure(error).message, startedAt: now(), endedAt: now(), seconds: {}, evictedPods: 0 });
    } finally {
      this.#plans.delete(node.instanceId);
      this.migration.flying.delete(node.instanceId);
      this.#tellControl();
    }
  }

  /** The node's workflow id is its lock: one that is still open (its parent was terminated) is on its way back, so it is awaited. */
  async #child(node: NodeRef, plan: FlightPlan & { steering: Steering }): Promise<ChildWorkflowHandle<typeof refreshNode>> {
    const { target } = this.migration;
    // They are for a node that was replaced: an extra one goes, also where they were why the run ended.
    const { probes } = this.migration.manifest.spec;
    for (;;) {
      try {
        return await startChild<typeof refreshNode>('refreshNode', {
          workflowId: nodeWorkflowId(target.migration, node.instanceId),
          args: [{ target, node, ...plan, ...(asksForProbes(probes) && !plan.surplus ? { probes } : {}) }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          staticSummary: `${node.name} in ${node.group}, ${node.zone}`.slice(0, 200),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const { handBack } = this.events.orders();
        if (handBack !== null) throw new RunEnd('aborted', handBack);
        await sleep('2s');
      }
    }
  }

  /** Passes on what operators say until the node ends. Its end always comes: nothing here ends it. */
  async #supervise(child: ChildWorkflowHandle<typeof refreshNode>, node: NodeRef, steering: Steering): Promise<NodeResult> {
    let ended = false;
    const result = child.result().finally(() => (ended = true));
    result.catch(() => undefined);
    let told = JSON.stringify(steering);
    for (;;) {
      await condition(() => ended || JSON.stringify(this.#steering(node)) !== told || this.#beginsToFail(node));
      if (ended) return result;
      if (this.#beginsToFail(node)) {
        this.#failing.add(node.instanceId);
        this.events.failing(node);
      }
      const next = this.#steering(node);
      if (JSON.stringify(next) === told) continue;
      told = JSON.stringify(next);
      await child.signal(steerSignal, next).catch(() => undefined);
    }
  }

  #beginsToFail(node: NodeRef): boolean {
    const progress = this.migration.flying.get(node.instanceId);
    return progress !== undefined && PROVING.includes(progress.step) && progress.blockers.some(({ firm }) => firm) && !this.#failing.has(node.instanceId);
  }

  #steering(node: NodeRef): Steering {
    const { control } = this.migration;
    const skipped = control.skipped.some((skip) => skip.instanceId === node.instanceId || skip.name === node.name);
    const { paused, handBack, drain } = this.events.orders();
    return {
      paused: paused || this.#held,
      handBack: handBack ?? (skipped ? SKIPPED : this.#comeDown),
      retries: control.retries[node.instanceId] ?? 0,
      drain,
      forced: control.forced[node.instanceId] ?? [],
    };
  }

  #tellControl(): void {
    const flying = [...this.migration.flying.values()].map(({ node }) => ({ name: node.name, instanceId: node.instanceId }));
    this.migration.control = { ...this.migration.control, flying };
  }
}
