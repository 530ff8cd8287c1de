import { CancellationScope } from '@temporalio/workflow';
import { forceOf } from '../../domain/force.js';
import type { BlockingPod } from '../../domain/force.js';
import type { NodeRef } from '../../domain/plan.js';
import { blockerLines } from '../../domain/refresh.js';
import type { Blocker, NodeProgress } from '../../domain/refresh.js';
import { now } from '../clock.js';
import { DrainLimit } from './drainLimit.js';
import type { Steering } from '../messages.js';

/** The node whose drain it is. */
export interface Drained {
  node: NodeRef;
  /** Name of the migration, for what a person may type. */
  migration: string;
  steering(): Steering;
  progress(): NodeProgress;
  /** What failed and waits for a person. */
  failure(): Blocker | null;
  tell(change: Partial<NodeProgress>): void;
  /** Ends the step that is under way: its time is over, and its turn comes again. */
  interrupt(): void;
}

/** A drain, or the wait for it, with its time limit: what it waits for, and what its limit means to whoever looks and to the node itself. */
export class DrainWait {
  /** What the last look told. */
  seen: { blockers: Blocker[]; blocking: BlockingPod[] } = { blockers: [], blocking: [] };
  /** Why the node is handed back for its turn to come again at the end. */
  postponed: string | null = null;
  /** The clock, while it lasts. */
  #limit: DrainLimit | undefined;
  /** Since when it takes longer than it may; null: it does not. */
  #overdueSince: string | null = null;

  constructor(private readonly of: Drained) {}

  get hasLimit(): boolean {
    return this.#limit !== undefined;
  }

  /** From now on there is a limit; call what it returns at the end, one way or the other. */
  limit(): () => Promise<void> {
    const limit = new DrainLimit(() => ({ seconds: this.of.steering().drain.timeLimitSeconds, paused: this.of.progress().paused }));
    this.#limit = limit;
    // It may begin within a step, and outlasts the step that it ends.
    const watching = CancellationScope.nonCancellable(() => limit.watch(() => this.judge()));
    return async () => {
      limit.end();
      this.#limit = undefined;
      this.#overdueSince = null;
      await watching;
      this.of.tell({ force: undefined });
    };
  }

  /** Whether it is over its time by now, and what that means. */
  judge(): void {
    if (this.#limit === undefined) return;
    this.#overdueSince = this.#limit.isOver ? (this.#overdueSince ?? now()) : null;
    const { onTimeout, timeLimitSeconds } = this.of.steering().drain;
    if (this.#overdueSince !== null && onTimeout === 'skip-to-end') {
      this.postponed = `${this.#what} took longer than ${timeLimitSeconds} s: ${blockerLines(this.#waitsFor) || 'its pods were still going'}`;
      this.of.interrupt();
    } else this.show();
  }

  /** Done in the very moment in which the time was over: it may go on. */
  inTime<T>(done: T): T {
    this.postponed = null;
    return done;
  }

  /** What is waited for; past its time that a person is needed, and where a gate may help, that. */
  show(): void {
    const since = this.#overdueSince;
    if (since === null) return this.of.tell({ blockers: this.#waitsFor, force: undefined });
    const { node, migration } = this.of;
    const { drain, forced } = this.of.steering();
    const force = drain.onTimeout === 'force' ? forceOf({ node, pods: this.seen.blocking, since }, forced) : null;
    const overdue: Blocker = {
      object: `Node ${node.name}`,
      reason: `${this.#what} takes longer than ${drain.timeLimitSeconds} s (drain.onTimeout: ${drain.onTimeout})`,
      todo: force === null ? `It is waited for: free what blocks it, or ciliate skip ${migration} ${node.name} --reason TEXT` : 'Free what blocks it, or approve the gate force for pods that may be deleted.',
      firm: true,
      since,
    };
    this.of.tell({ blockers: [...this.#waitsFor, overdue], force: force ?? undefined });
  }

  get #what(): string {
    return this.of.progress().step === 'prepare' ? 'the wait for its drain' : 'its drain';
  }

  get #waitsFor(): Blocker[] {
    const failure = this.of.failure();
    return failure === null ? this.seen.blockers : [failure];
  }
}
