import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { endedByCancel } from './failure.js';

/** Thrown in place of a step's result when an operator's word ended it (abort, skip, pause). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs steps that an operator's word may end at once: a retrying activity that waits between attempts ends too, so abort
 * works while an API server is away. The workflow's own cancellation does not reach inside: it is an intent like any other.
 */
export class Interruptible {
  readonly #open = new Set<CancellationScope>();

  /** Rejects with {@link Interrupted} when {@link interrupt} is called meanwhile. */
  async run<T>(step: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope({ cancellable: true, parent: CancellationScope.current() });
    this.#open.add(scope);
    try {
      return await scope.run(step);
    } catch (error) {
      if (isCancellation(error) || (scope.consideredCancelled && endedByCancel(error))) throw new Interrupted('interrupted by an operator');
      throw error;
    } finally {
      this.#open.delete(scope);
    }
  }

  interrupt(): void {
    for (const scope of [...this.#open]) scope.cancel();
  }
}
