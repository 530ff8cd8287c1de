import { condition } from '@temporalio/workflow';

/** How long a drain may take, and whether its clock stands still. */
export interface LimitNow {
  seconds: number;
  paused: boolean;
}

/** The clock of one drain: counts its time without the pauses. A limit that is changed meanwhile counts from then on. */
export class DrainLimit {
  #spentMs = 0;
  #ended = false;

  constructor(private readonly read: () => LimitNow) {}

  get isOver(): boolean {
    return this.#spentMs >= this.read().seconds * 1000;
  }

  /** The drain is over, one way or the other. */
  end(): void {
    this.#ended = true;
  }

  /** Until {@link end}: tells each time when the limit is passed. */
  async watch(passed: () => void): Promise<void> {
    while (!this.#ended) {
      const { seconds, paused } = this.read();
      const changed = (): boolean => this.#ended || this.read().seconds !== seconds || this.read().paused !== paused;
      if (this.isOver) passed();
      if (paused || this.isOver) {
        await condition(changed);
        continue;
      }
      const since = Date.now();
      await condition(changed, seconds * 1000 - this.#spentMs);
      this.#spentMs += Date.now() - since;
    }
  }
}
