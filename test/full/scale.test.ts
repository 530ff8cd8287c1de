import { expect, it } from 'vitest';
import { resultRows } from '../support/fields.js';
import { simulate } from '../support/scale/simulate.js';
import { AIMS, expectWithinAims } from '../support/scale/watchRun.js';

const rows = resultRows('scale-sample', {
  title: 'Scale: a sample',
  about: [
    "Simulated activities on Temporal's dev server, a worker in a process of its own; `make bench` has the big one. A node takes 20 s, a tenth of what it takes in AWS:",
    'faster, and the processors would be full, and the status would tell of the machine. It is asked for twice a second from beginning to end.',
    AIMS,
  ],
});

it('300 simulated nodes, 50 in flight', async () => {
  const seen = await simulate({ nodes: 300, inFlight: 50, stepMs: 5_000, withinMs: 1_200_000, say: console.log });
  rows.push({ ...seen });
  expect(seen).toMatchObject({ outcome: 'done', refreshed: 300 });
  expectWithinAims(seen);
});
