import { CancellationScope, condition, getExternalWorkflowHandle, sleep, workflowInfo } from '@temporalio/workflow';
import type { ExternalWorkflowHandle } from '@temporalio/workflow';
import type { NodeProgress, NodeResult, NodeStep } from '../../domain/refresh.js';
import { nodeEndedSignal, nodeProgressSignal } from '../messages.js';
import type { FlightPlan, Steering } from '../messages.js';

/** A node that outlived the run that started it asks after its migration at least so often. */
const MOST_SECONDS = 1_800;

/** A migration that continues as new speaks to its nodes again within moments; where it does not, they stop waiting for it. */
const HUSH = '1m';

/** Steps that rarely wait: the migration hears of them when they are blocked. */
const BRIEF_STEPS: NodeStep[] = ['prepare', 'terminate', 'await-node-gone', 'await-workloads', 'await-probes'];

/** The node that speaks. */
export interface Speaker {
  steering(): Steering;
  progress(): NodeProgress;
  /** The migration has not spoken again: it is waited for no longer. */
  unhush(): void;
}

/** What a node tells the migration that it belongs to: whichever run of it is open, and nothing while one continues as new (docs/adr/0011). */
export class ToMigration {
  /** The step that the migration shows. */
  #shownStep: NodeStep;
  #seq = 0;
  /** News that waits for the migration to be there again. */
  #untold: Promise<boolean> | null = null;
  readonly #terse: boolean;

  constructor({ terse, shownAs }: FlightPlan, private readonly node: Speaker) {
    this.#terse = terse;
    this.#shownStep = shownAs ?? 'prepare';
  }

  /** Tells what is new; each signal costs the migration a workflow task, so it does not hear of what lasts a blink. */
  changed(before: NodeProgress): void {
    const progress = this.node.progress();
    const step = BRIEF_STEPS.includes(progress.step) ? this.#shownStep : progress.step;
    if (step === this.#shownStep && this.#news(before) === this.#news(progress)) return;
    this.#shownStep = progress.step;
    // A migration that is gone (terminated) must not fail its node, which still has to be handed back.
    void this.progress();
  }

  /** Tells how the node stands. @returns false: nobody is there to hear it */
  progress(): Promise<boolean> {
    if (!this.#isHushed) return this.#sendProgress();
    // Whatever comes meanwhile is told as one.
    return (this.#untold ??= this.#hushOver().then(() => {
      this.#untold = null;
      return this.#sendProgress();
    }));
  }

  /** Tells how it ended, where that is not heard anyway: a run hears of no end of a node that another one has started. */
  async ended(result: NodeResult): Promise<void> {
    if (this.#isHushed) await this.#hushOver();
    if (this.node.steering().outlives) await this.#signal((migration) => migration.signal(nodeEndedSignal, result));
  }

  /** Asks after the migration, less and less often; returns when none is there. */
  async gone(): Promise<void> {
    let spoke = this.#isHushed && (await this.#hushOver());
    for (let seconds = 60; ; seconds = Math.min(2 * seconds, MOST_SECONDS)) {
      if (!spoke && !(await this.progress())) return;
      spoke = false;
      await CancellationScope.nonCancellable(() => sleep(seconds * 1000));
    }
  }

  get #isHushed(): boolean {
    return this.node.steering().hush === true;
  }

  /** True: the migration has spoken again. */
  async #hushOver(): Promise<boolean> {
    const spoke = await CancellationScope.nonCancellable(() => condition(() => !this.#isHushed, HUSH));
    if (!spoke) this.node.unhush();
    return spoke;
  }

  #sendProgress(): Promise<boolean> {
    const { turn } = this.node.steering();
    const progress = { ...this.node.progress(), seq: ++this.#seq, ...(turn === undefined ? {} : { heard: turn }) };
    return this.#signal((migration) => migration.signal(nodeProgressSignal, progress));
  }

  /** To whichever run of the migration is open. False: none is. */
  async #signal(send: (migration: ExternalWorkflowHandle) => Promise<void>): Promise<boolean> {
    const parent = workflowInfo().parent;
    if (!parent) return true;
    try {
      // Outside of the scope that a cancellation of this workflow has ended.
      await CancellationScope.nonCancellable(() => send(getExternalWorkflowHandle(parent.workflowId)));
      return true;
    } catch {
      return false;
    }
  }

  /** What the migration is to hear of within a step. */
  #news({ blockers, paused, force }: NodeProgress): string {
    return JSON.stringify([this.#terse ? blockers.filter(({ firm }) => firm) : blockers, paused, force]);
  }
}
