import { vi } from 'vitest';

/** What comes late on a busy machine is not wrong. */
const PATIENCE = { interval: 250, timeout: 30_000 };

/**
 * `expect.poll` for tests that run side by side: that one needs the test that runs "now", and there is none any more when another one
 * of the same file has just ended.
 */
export async function eventually(assert: () => unknown): Promise<void> {
  await vi.waitFor(async () => {
    await assert();
  }, PATIENCE);
}
