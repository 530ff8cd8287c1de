import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: 'node', ...extra },
});

/** One project a kind of test, so that `make` can run and time each on its own. */
export default defineConfig({
  test: {
    // Two files at a time, also on one core: most of them wait for servers of their own, not for the processor.
    maxWorkers: 2,
    minWorkers: 1,
    projects: [
      project('unit', { testTimeout: 30_000 }),
      // Each file starts its own Temporal dev server, each test its own lab. Most of a workflow test is waiting.
      project('workflow', { testTimeout: 240_000, hookTimeout: 120_000, maxConcurrency: 3 }),
      project('replay', { testTimeout: 120_000, hookTimeout: 120_000 }),
      project('lab', { testTimeout: 600_000, hookTimeout: 600_000 }),
      // The whole matrices and the figures: `make test-full`, `make bench`. They write docs/results/.
      project('full', { testTimeout: 3_600_000, hookTimeout: 900_000 }),
      project('bench', { testTimeout: 1_800_000, hookTimeout: 900_000 }),
    ],
  },
});
