import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Files that take long, longest first: begun last, one of them would run alone at the end. */
const LONG = ['full/kill', 'full/rollback', 'full/outages', 'full/mesh', 'full/calls', 'full/strategies', 'lab/mesh', 'lab/kill', 'lab/rollback', 'lab/strategies', 'lab/clean', 'lab/fleet', 'lab/drain', 'workflow/fleet', 'workflow/carried', 'lab/surge', 'lab/karpenter', 'lab/migrate', 'lab/activities', 'workflow/durable', 'lab/lab', 'unit/cilium/rendered'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.includes(`/test/${name}.test.ts`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Workflow code is bundled once for all files of a project. */
const bundled = { globalSetup: 'test/support/bundle.ts' };

const project = (name: string, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node',
    // Looking twenty times a second is work for what is looked at; and what comes late on a busy machine is not wrong. A project has none of this from the whole.
    expect: { poll: { interval: 250, timeout: 30_000 } },
    ...extra,
  },
});

/** One project a kind of test, so that `make` can run and time each on its own. */
export default defineConfig({
  test: {
    // Two files at a time, also on one core; scripts/test.mjs has more of those that mostly wait.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A log that was kept only in part still says what differed.
    chaiConfig: { truncateThreshold: 4000 },
    projects: [
      // They run beside the labs, which come first: slow is not wrong.
      project('unit', { testTimeout: 120_000 }),
      // Each file starts its own Temporal dev server, each test its own lab. Most of a workflow test is waiting, and who has no worker need not wait long for its answer.
      project('workflow', { testTimeout: 240_000, hookTimeout: 120_000, maxConcurrency: 3, ...bundled, env: { CILIATE_ANSWER_MS: '1500' } }),
      project('replay', { testTimeout: 120_000, hookTimeout: 120_000, ...bundled }),
      project('lab', { testTimeout: 600_000, hookTimeout: 600_000 }),
      // The whole matrices and the figures: `make test-full`, `make bench`. They write docs/results/.
      project('full', { testTimeout: 3_600_000, hookTimeout: 900_000 }),
      project('bench', { testTimeout: 1_800_000, hookTimeout: 900_000 }),
    ],
  },
});
