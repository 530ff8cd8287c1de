import { expect, it } from 'vitest';
import { resultRows } from '../support/fields.js';
import { simulate } from '../support/scale/simulate.js';
import { AIMS, expectWithinAims } from '../support/scale/watchRun.js';

/** How many nodes; the whole is 10,000. */
const NODES = Number(process.env['CILIATE_SCALE_NODES'] ?? 10_000);

/** What each of a node's three waits takes, give or take a quarter. */
const STEP_MS = Number(process.env['CILIATE_SCALE_STEP_MS'] ?? 9_500);
const node = Math.round((3.1 * STEP_MS) / 1000);

const rows = resultRows('scale', {
  title: 'Scale: thousands of nodes in one migration',
  about: [
    "Simulated activities on Temporal's dev server; the worker is a process of its own, with the settings of `ciliate worker`. The status is asked for twice a second. A node",
    `takes about ${node} s (each of its three waits ${STEP_MS / 1000} s, give or take a quarter): with a hundred in flight that is ${(100 / node).toFixed(1)} a second at most; in AWS a node takes minutes.`,
    AIMS,
  ],
});

it(
  `${NODES} simulated nodes, 100 in flight`,
  async () => {
    const seen = await simulate({ nodes: NODES, inFlight: 100, stepMs: STEP_MS, withinMs: 5_400_000, say: console.log });
    rows.push({ ...seen });
    expect(seen).toMatchObject({ outcome: 'done', refreshed: NODES });
    expectWithinAims(seen);
  },
  6_000_000,
);
