import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: 'node', ...extra },
});

/** One project a kind of test, so that `make` can run and time each on its own. */
export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 30_000 }),
      // These share one Temporal dev server or one lab, started by their global set-up.
      project('workflow', { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
      project('replay', { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
      project('lab', { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }),
      // The whole matrices and the figures: `make test-full`, `make bench`. They write docs/results/.
      project('full', { testTimeout: 3_600_000, hookTimeout: 900_000, fileParallelism: false }),
      project('bench', { testTimeout: 1_800_000, hookTimeout: 900_000, fileParallelism: false }),
    ],
  },
});
