import { carriedNow, carry } from '../../look.js';

interface Carried {
  evicted: number;
  /** How many pods there were before the last eviction, and when that was (epoch milliseconds). */
  last?: { pods: number; at: number };
}

/** What has no successor after so long had its last pod evicted, or wants fewer by now. */
const SUCCESSOR_MS = 60_000;

/** What one look of a restart remembers over its attempts. */
export class RestartMemory {
  readonly #carried: Carried;

  constructor() {
    const before = (carriedNow() ?? {}) as Partial<Carried>;
    this.#carried = { evicted: before.evicted ?? 0, last: before.last };
  }

  get evicted(): number {
    return this.#carried.evicted;
  }

  countEvicted(pods: number): void {
    this.#carried.evicted++;
    this.#carried.last = { pods, at: Date.now() };
    carry({ ...this.#carried });
  }

  /** Whether the last evicted pod has no successor yet, with so many pods now. */
  replacing(pods: number): boolean {
    const { last } = this.#carried;
    return last !== undefined && pods < last.pods && Date.now() - last.at < SUCCESSOR_MS;
  }
}
