import { isStatus } from '../cluster/client.js';
import { messageOf } from '../errors.js';

/** Runs things at most once at a time each, tries again after errors, and says when something is done. */
export class Work {
  private readonly running = new Set<string>();
  private readonly finished = new Set<string>();
  private readonly notBefore = new Map<string, number>();

  constructor(
    private readonly wake: (delay: number) => void,
    private readonly log: (line: string) => void,
  ) {}

  /** Does `action` now unless it is being done, or has failed a moment ago. */
  run(key: string, action: () => Promise<unknown>): void {
    if (this.running.has(key) || (this.notBefore.get(key) ?? 0) > Date.now()) return;
    this.running.add(key);
    action()
      .then(
        () => this.notBefore.delete(key),
        (error: unknown) => {
          // Gone or changed under our hands: the watch brings the news.
          if (!isStatus(error, 404) && !isStatus(error, 409)) this.log(`${key}: ${messageOf(error)}`);
          this.notBefore.set(key, Date.now() + 300);
          this.wake(310);
        },
      )
      .finally(() => {
        this.running.delete(key);
        this.wake(0);
      });
  }

  /** Does `action` once in the lab's life for this key; failures are tried again. */
  once(key: string, action: () => Promise<unknown>): void {
    if (this.finished.has(key)) return;
    this.run(key, async () => {
      await action();
      this.finished.add(key);
    });
  }

  did(key: string): boolean {
    return this.finished.has(key);
  }

  forget(key: string): void {
    this.finished.delete(key);
  }
}

/** Remembers when something was first seen, so that delays count from there. */
export class Since {
  private readonly first = new Map<string, number>();

  /** Milliseconds since `key` was first asked about; 0 the first time. */
  age(key: string): number {
    const now = Date.now();
    const then = this.first.get(key);
    if (then === undefined) {
      this.first.set(key, now);
      return 0;
    }
    return now - then;
  }

  clear(key: string): void {
    this.first.delete(key);
  }
}
