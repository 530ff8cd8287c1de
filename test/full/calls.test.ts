import { expect, it } from 'vitest';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean } from '../support/killing.js';
import { BRIEF, migrateCounted } from '../support/scale/lab.js';
import type { Migrated } from '../support/scale/lab.js';

const up = fieldsPerTest();
const rows = resultRows('calls', {
  title: 'Calls a node, by the size of the cluster',
  about: ["On the lab, six pods a node, counted by its front while nodes are refreshed: calls of the worker to the API server and to AWS. What is per node must not grow with the cluster."],
});

const seen: Migrated[] = [];

it.each([
  { nodes: 20, inFlight: 10 },
  { nodes: 60, inFlight: 20 },
])('$nodes nodes, $inFlight in flight', async ({ nodes, inFlight }) => {
  const field = await up({ nodes, workload: 6 * nodes, readyTimeout: 600_000, ...BRIEF });
  const migrated = await migrateCounted(field, { nodes, inFlight });
  rows.push({ ...migrated });
  seen.push(migrated);
  expect(migrated.outcome).toBe('done');
  await expectClean(field);
});

it('a node of the bigger cluster costs no more calls', () => {
  const [small, big] = seen;
  if (small === undefined || big === undefined) throw new Error('both must have run');
  expect(big['Kubernetes calls a node']).toBeLessThan(1.2 * small['Kubernetes calls a node']);
  expect(big['AWS calls a node']).toBeLessThan(1.2 * small['AWS calls a node']);
});
