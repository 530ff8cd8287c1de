import { expect, it } from 'vitest';
import { resultRows } from '../support/fields.js';
import { simulate } from '../support/scale/simulate.js';
import { AIMS, expectWithinAims } from '../support/scale/watchRun.js';

/** How many nodes; the whole is 10,000. */
const NODES = Number(process.env['CILIATE_SCALE_NODES'] ?? 10_000);

const rows = resultRows('scale', {
  title: 'Scale: thousands of nodes in one migration',
  about: [
    "Simulated activities on Temporal's dev server; the worker is a process of its own, with the settings of `ciliate worker`. The status is asked for twice a second. A node",
    'takes about half a minute (each of its three waits 7.1 to 11.9 s): with a hundred in flight that is three a second, which leaves the processors some room; in AWS a node takes minutes.',
    AIMS,
  ],
});

it(
  `${NODES} simulated nodes, 100 in flight`,
  async () => {
    const seen = await simulate({ nodes: NODES, inFlight: 100, stepMs: 9_500, withinMs: 5_400_000, say: console.log });
    rows.push({ ...seen });
    expect(seen).toMatchObject({ outcome: 'done', refreshed: NODES });
    expectWithinAims(seen);
  },
  6_000_000,
);
