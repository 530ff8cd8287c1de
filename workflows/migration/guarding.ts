import type { Migration } from './migration.js';

/** How old the guards of the set `changing` may be: new nodes need theirs long before an autoscaler thinks of removing one. */
const OLD_MS = 30_000;

/**
 * The guards of the set `changing`, while nodes come and go: new ones need theirs. In a big cluster a look at all of them takes a while,
 * so it is beside everything else, and no node waits for it.
 */
export class Guarding {
  #at = 0;
  #beside: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;

  /** @param failed called when a look beside has failed: {@link settle} throws it */
  constructor(
    readonly migration: Migration,
    readonly failed: () => void,
  ) {}

  get areOld(): boolean {
    return Date.now() - this.#at > OLD_MS;
  }

  async hold(): Promise<void> {
    this.#at = Date.now();
    await this.migration.holdChanging();
  }

  /** Looks at them without being awaited; one look at a time. */
  holdBeside(): void {
    this.#beside ??= this.hold()
      .catch((error: unknown) => {
        this.#failure = { error };
        this.failed();
      })
      .finally(() => (this.#beside = null));
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Before they are given back nothing may be taking them any more. Throws what a look beside has failed with. */
  async settle(): Promise<void> {
    await this.#beside;
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }
}
