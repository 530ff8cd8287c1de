import { condition, isCancellation, patched, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { NodeRequest, NodeSituation, Target } from '../../activities/api.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker, NodeOutcome, NodeProgress, NodeResult, NodeStep, WorkloadReady } from '../../domain/refresh.js';
import type { ProbesSpec } from '../../domain/spec/probes.js';
import { acts } from '../activityProxies.js';
import { now, secondsBetween } from '../clock.js';
import { nodeDetails } from '../dashboard.js';
import { DrainWait } from './drainWait.js';
import { stepFailure } from '../failure.js';
import { Interrupted, Interruptible } from '../interruptible.js';
import { nodeStatusQuery, steerSignal } from '../messages.js';
import type { FlightPlan, Steering } from '../messages.js';
import { paceOf, until } from '../until.js';
import { ToMigration } from './toMigration.js';

export interface RefreshInput extends FlightPlan {
  target: Target;
  node: NodeRef;
  /** What must hold afterwards; absent: nothing beside what is always looked at. */
  probes?: ProbesSpec;
  steering: Steering;
}

/**
 * How long a replacement may still take after an operator asked to hand the node back. The node cannot be handed back any
 * more by then, so the run waits this long for its proof before it lets go.
 */
const GRACE = '10m';

/** One node on its way: steps, what operators want of it, and what it waits for. */
export class NodeRefresh {
  readonly #request: NodeRequest;
  readonly #startedAt = now();
  readonly #seconds: Partial<Record<NodeStep, number>> = {};
  readonly #interruptible = new Interruptible();
  #steering: Steering;
  #progress: NodeProgress;
  #terminated = false;
  #evicted = 0;
  #notes: string[] = [];
  /** What failed and waits for a person. */
  #failure: Blocker | null = null;
  readonly #wait: DrainWait;
  readonly #migration: ToMigration;

  constructor(readonly input: RefreshInput) {
    this.#request = { target: input.target, node: input.node };
    this.#steering = input.steering;
    this.#progress = { node: input.node, step: 'prepare', since: this.#startedAt, blockers: [], paused: false };
    this.#wait = new DrainWait({
      node: input.node,
      migration: input.target.migration,
      steering: () => this.#steering,
      progress: () => this.#progress,
      failure: () => this.#failure,
      tell: (change) => this.#tell(change),
      interrupt: () => this.#interruptible.interrupt(),
    });
    this.#migration = new ToMigration(input, {
      steering: () => this.#steering,
      progress: () => this.#progress,
      unhush: () => (this.#steering = { ...this.#steering, hush: false }),
    });
  }

  listen(): void {
    setHandler(steerSignal, (steering) => this.steer(steering), { description: 'What the migration wants of this node' });
    setHandler(nodeStatusQuery, () => this.#progress, { description: 'Step, since when, and what blocks it' });
  }

  /**
   * The parent was terminated, or somebody pressed Cancel: an operator's word like any other. Where the parent had said that it
   * continues as new, the first cancellation is that; it is the only one that is ever heard, so from then on the migration is
   * asked whether it is there.
   */
  cancelled(): void {
    if (this.#steering.outlives) void this.#migration.gone().then(() => this.steer({ handBack: 'its migration is gone' }));
    else this.steer({ handBack: 'cancelled' });
  }

  steer(change: Partial<Steering>): void {
    const { drain, forced } = this.#steering;
    this.#steering = { ...this.#steering, ...change };
    // It rests for this one too.
    if (change.turn !== undefined && this.#steering.paused && this.#progress.paused) void this.#migration.progress();
    // After the termination the waits go on (see GRACE).
    if (this.#terminated) return;
    this.#wait.judge();
    // A drain that waits goes by what it was started with: what is new for it ends the wait, and it begins again with that.
    const other = this.#wait.hasLimit && JSON.stringify([drain, forced]) !== JSON.stringify([this.#steering.drain, this.#steering.forced]);
    if (other || this.#steering.paused || this.#steering.handBack !== null) this.#interruptible.interrupt();
  }

  /** Why the node is let go of, while it still can be: an operator's word, or a drain that takes too long. */
  get #letGo(): string | null {
    return this.#steering.handBack ?? this.#wait.postponed;
  }

  async run(): Promise<NodeResult> {
    const result = await this.#run();
    await this.#migration.ended(result);
    return result;
  }

  async #run(): Promise<NodeResult> {
    try {
      return await this.#refresh();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await acts.releaseNode(this.#request);
      if (this.#steering.handBack === null && this.#wait.postponed !== null) return this.#result('postponed', this.#wait.postponed);
      const why = this.#steering.handBack ?? 'handed back';
      // A refused termination leaves the node as it was; once past that step it is on its way out.
      const gone = this.#terminated && this.#progress.step !== 'terminate';
      return this.#result(gone ? 'unproven' : 'handed-back', why);
    }
  }

  async #refresh(): Promise<NodeResult> {
    const { situation, workloads } = await this.#prepare();
    const gone = situation.state === 'gone' ? situation.why : situation.state === 'present' ? await this.#drain() : undefined;
    if (gone !== undefined) {
      await acts.releaseNode(this.#request);
      return this.#result('gone', gone);
    }
    if (situation.state === 'instance-gone') return this.#afterTermination(workloads, null);
    const { instancesBefore, decremented } = await this.#terminate();
    return this.#afterTermination(workloads, decremented ? null : instancesBefore);
  }

  /**
   * Room and cordon. A labelled node that runs the other agent is somebody's mistake: refreshing it would be another, so a person must
   * look. Whoever has to wait here has as long as for a drain: a node without room must not hold up the others either.
   */
  async #prepare(): Promise<{ situation: NodeSituation; workloads: WorkloadReady[] }> {
    let ends = async (): Promise<void> => undefined;
    /** Waits that were begun before this have no end. */
    let limits: boolean | undefined;
    const waits = (): void => {
      if (!this.#wait.hasLimit && (limits ??= patched('limited-wait-for-drain'))) ends = this.#wait.limit();
    };
    try {
      for (;;) {
        const seen = await this.#step('prepare', () => this.#prepareOnce(waits));
        if (seen.situation.state !== 'hands-off') return this.#wait.inTime(seen);
        waits();
        await this.#stuck(new Error(seen.situation.why));
      }
    } finally {
      await ends();
    }
  }

  #prepareOnce(waits: () => void): ReturnType<typeof acts.prepareNode> {
    return until(
      async (known) => {
        if (known !== '') waits();
        const seen = await acts.prepareNode({ ...this.#request, surplus: this.input.surplus, known }).catch((error: unknown) => {
          // It waits for a person then.
          if (!isCancellation(error)) waits();
          throw error;
        });
        this.#wait.seen = { blockers: seen.blockers, blocking: [] };
        return seen;
      },
      () => this.#wait.show(),
    );
  }

  /** With the cordon, all that can still be taken back. Returns why the node is none of ours any more, where it is not. */
  async #drain(): Promise<string | undefined> {
    this.#wait.seen = { blockers: [], blocking: [] };
    const ends = this.#wait.limit();
    let drained: { volumes: string[]; gone?: string };
    try {
      drained = this.#wait.inTime(await this.#step('drain', () => this.#drainOnce()));
    } finally {
      await ends();
    }
    if (drained.volumes.length > 0) await this.#detach();
    return drained.gone;
  }

  /** One drain with what operators want of it now; returns what its last look saw. */
  #drainOnce(): Promise<{ volumes: string[]; gone?: string }> {
    return until(
      async (known, changes) => {
        const { drain, forced } = this.#steering;
        const seen = await acts.lookDrained({ ...this.#request, surplus: this.input.surplus, paceMs: 1000 * paceOf(changes), drain, forced, blocking: this.#wait.seen.blocking, known });
        this.#evicted += seen.evicted;
        this.#note(seen.notes);
        this.#wait.seen = seen;
        return seen;
      },
      () => this.#wait.show(),
      { paced: false },
    );
  }

  /** Pods are gone before their volumes are: an instance that is terminated with them is a detour for whoever waits for them. */
  async #detach(): Promise<void> {
    const since = now();
    const seen = await this.#look('await-volumes', (known) => acts.lookDetached({ ...this.#request, since, known }));
    this.#note(seen.notes);
  }

  #note(lines: string[]): void {
    for (const line of lines) if (!this.#notes.includes(line)) this.#notes.push(line);
  }

  /** The point of no return: asked for once, an instance may be going whether or not we hear the answer. */
  async #terminate(): Promise<{ instancesBefore: string[]; decremented: boolean }> {
    await this.#mayGoOn();
    this.#terminated = true;
    return this.#step('terminate', () => acts.terminateNode({ ...this.#request, decrement: this.input.decrement }));
  }

  async #afterTermination(workloads: WorkloadReady[], instancesBefore: string[] | null): Promise<NodeResult> {
    this.#terminated = true;
    const { terminatedAt } = await this.#look('await-terminated', (known) => acts.lookTerminated({ ...this.#request, known }));
    const goneAt = terminatedAt ?? now();
    await this.#look('await-node-gone', (known) => acts.lookNodeGone({ ...this.#request, terminatedAt: goneAt, known }));
    await acts.releaseNode(this.#request);
    if (instancesBefore === null) return this.#settled(workloads, undefined);

    const seen = await this.#withGrace(() =>
      this.#look('await-replacement', (known) => acts.lookReplacement({ ...this.#request, instancesBefore, known })),
    );
    if (!seen) return this.#result('unproven', `terminated; its replacement was not proven: ${this.#steering.handBack}`);
    return this.#settled(workloads, seen.replacement ?? undefined);
  }

  async #settled(workloads: WorkloadReady[], replacement: NodeResult['replacement']): Promise<NodeResult> {
    const seen = await this.#withGrace(() =>
      this.#look('await-workloads', (known) => acts.lookWorkloads({ ...this.#request, workloads, known })),
    );
    this.#note(seen?.notes ?? []);
    if (!seen) return { ...this.#result('unproven', `its workloads were not all back: ${this.#steering.handBack}`), replacement };
    if (!(await this.#probed(replacement?.name ?? null))) return { ...this.#result('unproven', `its probes did not hold: ${this.#steering.handBack}`), replacement };
    return { ...this.#result('refreshed'), replacement };
  }

  /** What the operator wants to hold beside all that; false when it did not in time. */
  async #probed(replacement: string | null): Promise<boolean> {
    const { probes } = this.input;
    if (probes === undefined) return true;
    const since = now();
    // The node is whole by now: who wants to let go need not wait for what was asked beside that.
    const look = () => this.#look('await-probes', (known) => acts.lookProbes({ ...this.#request, probes, replacement, since, known }));
    const seen = await this.#withGrace(look, 'none');
    this.#note(seen?.notes ?? []);
    if (probes.network !== undefined) await this.#step('await-probes', () => acts.endProbes({ ...this.#request, probes }));
    return seen !== undefined;
  }

  /** Undefined when an operator asked to let go and the grace ran out; `none`: as soon as that is asked. */
  async #withGrace<T>(wait: () => Promise<T>, grace: typeof GRACE | 'none' = GRACE): Promise<T | undefined> {
    let ended = false;
    const waiting = wait().finally(() => (ended = true));
    const letGo = (async () => {
      await condition(() => ended || this.#steering.handBack !== null);
      if (!ended && (grace === 'none' || !(await condition(() => ended, grace)))) this.#interruptible.interrupt();
    })();
    try {
      return await waiting;
    } catch (error) {
      if (error instanceof Interrupted) return undefined;
      throw error;
    } finally {
      await letGo;
    }
  }

  #look<T extends { done: boolean; seen: string; blockers: Blocker[] }>(step: NodeStep, look: (known: string) => Promise<T>): Promise<T> {
    return this.#step(step, () => until(look, (blockers) => this.#tell({ blockers })));
  }

  /** Runs a step and times it. A pause lets go of it and begins it again; a failure waits for a person. */
  async #step<T>(step: NodeStep, act: () => Promise<T>): Promise<T> {
    const since = now();
    this.#tell({ step, since, blockers: [] });
    for (;;) {
      await this.#mayGoOn();
      try {
        const done = await this.#interruptible.run(act);
        this.#seconds[step] = (this.#seconds[step] ?? 0) + secondsBetween(since, now());
        return done;
      } catch (error) {
        if (error instanceof Interrupted) {
          if (this.#terminated || this.#letGo !== null) throw error;
          continue;
        }
        await this.#stuck(error);
      }
    }
  }

  /** Waits out a pause; throws where the node is to be handed back and still can be. */
  async #mayGoOn(): Promise<void> {
    if (this.#terminated) return;
    if (this.#steering.paused && this.#letGo === null) {
      this.#tell({ paused: true });
      await condition(() => !this.#steering.paused || this.#letGo !== null);
      this.#tell({ paused: false });
    }
    if (this.#letGo !== null) throw new Interrupted(this.#letGo);
  }

  async #stuck(error: unknown): Promise<void> {
    const { message } = stepFailure(error);
    const retries = this.#steering.retries;
    this.#failure = { object: `Node ${this.input.node.name}`, reason: message, todo: `mend it, then: ciliate retry ${this.input.target.migration} ${this.input.node.name} --reason TEXT`, firm: true };
    this.#tell({ blockers: [this.#failure] });
    await this.#restUntil(() => this.#steering.retries > retries || this.#letGo !== null);
    this.#failure = null;
    this.#tell({ blockers: [] });
    if (this.#terminated && this.#steering.handBack !== null) throw new Interrupted(this.#steering.handBack);
  }

  /** Waits for a person. What is not on its way out rests in a pause meanwhile, like everything else, and goes on only after it. */
  async #restUntil(over: () => boolean): Promise<void> {
    // Those that were begun before this did not.
    const mayRest = (!this.#terminated || this.#progress.step === 'terminate') && patched('stuck-nodes-rest');
    const paused = (): boolean => mayRest && this.#steering.paused && this.#letGo === null;
    while (!over() || paused()) {
      const now = paused();
      this.#tell({ paused: now });
      await condition(() => (over() && !paused()) || paused() !== now);
    }
    this.#tell({ paused: false });
  }

  /** Parent, query and Temporal's UI all show the same. */
  #tell(change: Partial<NodeProgress>): void {
    const before = this.#progress;
    this.#progress = { ...before, ...change };
    if (JSON.stringify(before) === JSON.stringify(this.#progress)) return;
    setCurrentDetails(nodeDetails(this.#progress));
    this.#migration.changed(before);
  }

  #result(outcome: NodeOutcome, why?: string): NodeResult {
    return {
      node: this.input.node,
      outcome,
      why,
      startedAt: this.#startedAt,
      endedAt: now(),
      seconds: this.#seconds,
      evictedPods: this.#evicted,
      ...(this.#notes.length === 0 ? {} : { notes: this.#notes }),
    };
  }
}
