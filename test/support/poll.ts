import { vi } from 'vitest';

/** What comes late on a busy machine is not wrong. */
const PATIENCE = { interval: 250, timeout: 60_000 };

/**
 * `expect.poll` for tests that run side by side: that one needs the test that runs "now", and there is none any more when another one
 * of the same file has just ended.
 */
export function eventually<T>(assert: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assert, PATIENCE);
}
