import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyScenario, simulate } from './simulation.js';
import type { Ended, Scenario } from './simulation.js';

/** 30 nodes in 3 zones, 36 apps of 5 replicas with one disruption each: the shape of the benchmark. */
const BENCHMARK: Scenario = {
  groups: [{ size: 30, zones: 3, maxAbove: 0 }],
  apps: Array.from({ length: 36 }, () => ({ replicas: 5, maxUnavailable: 1 })),
  maxSurge: 10,
  maxUnavailable: 0,
  canary: false,
  failing: 0,
  ranks: 1,
  seed: 1,
};

/** The whole thousand in `make test-full`. */
const RUNS = process.env['CILIATE_TEST_FULL'] === '1' ? 1_000 : 250;
const TIMEOUT = 300_000;

describe('a simulated refresh', () => {
  it('keeps every promise at every step and ends as it started', () => {
    const all: Ended[] = [];
    fc.assert(
      fc.property(anyScenario, (scenario) => {
        all.push(simulate(scenario));
      }),
      { numRuns: RUNS },
    );
    const share = (of: (ended: Ended) => boolean): string => `${((100 * all.filter(of).length) / all.length).toFixed(1)}%`;
    console.log(`${all.length} runs: ${share((run) => run.balanced > 0)} needed a node to balance zones, ${share((run) => run.failures > 0)} had failures`);
    expect(all.filter(({ balanced }) => balanced > 0).length).toBeLessThan(all.length / 10);
  }, TIMEOUT);

  it('that is aborted at any time ends with the sizes of before, and nothing undrained', () => {
    const all: Ended[] = [];
    fc.assert(
      fc.property(anyScenario, fc.integer({ min: 1, max: 30 }), (scenario, abortAt) => {
        const ended = simulate({ ...scenario, failing: 0, maxSurge: scenario.maxSurge + 1, abortAt });
        if (ended.aborted) all.push(ended);
      }),
      { numRuns: RUNS },
    );
    const skewed = all.filter((run) => run.skewed > 0).length;
    console.log(`${all.length} aborted runs: ${all.filter(({ retired }) => retired > 0).length} took nodes back, ${skewed} left zones uneven`);
    expect(all.length).toBeGreaterThan(RUNS / 2);
    expect(skewed).toBeLessThan(all.length / 10);
  }, TIMEOUT);

  it('of the benchmark is faster with surge', () => {
    const surged = Array.from({ length: 50 }, (_, seed) => simulate({ ...BENCHMARK, seed }));
    const serial = simulate({ ...BENCHMARK, maxSurge: 0, maxUnavailable: 1 });
    const ticks = surged.map((run) => run.ticks).sort((a, b) => a - b);
    const balanced = surged.filter((run) => run.balanced > 0).length;
    const again = surged.reduce((sum, run) => sum + run.movedAgain, 0) / surged.reduce((sum, run) => sum + run.replicas, 0);
    console.log(`benchmark: ${again.toFixed(3)} extra moves a replica`);
    expect(again).toBeLessThan(0.05);
    console.log(`benchmark: ${ticks[25]} ticks with 10 extra nodes (${balanced} of 50 needed a node to balance zones), ${serial.ticks} one by one`);
    expect(surged.map(({ failures }) => failures)).toEqual(surged.map(() => 0));
    expect(ticks[25]).toBeLessThan(serial.ticks / 2);
  }, TIMEOUT);
});
