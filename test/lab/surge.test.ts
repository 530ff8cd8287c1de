import { expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();

it('a surge over two groups, its worker killed with nodes in flight: sizes and zones as before, nothing left over', async () => {
  const field = await up({ nodes: 6, groups: [{ name: 'one', managed: true, desired: 3, max: 3 }, { name: 'two', managed: false, desired: 3, max: 4 }] });
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('surge', { refresh: { maxSurge: 3, maxUnavailable: 0 } }))).code).toBe(0);
  const { inFlight } = await field.statusWhere('surge', (status) => status.inFlight.length >= 2, 180_000);
  expect(inFlight.length).toBeLessThanOrEqual(3);
  // What was launched for the surge is protected from scale-in, and given back at the end (expectClean).
  expect((await clusterState(field)).groups.some((group) => group.protected > 1)).toBe(true);
  await field.killWorker();
  field.startWorker();
  const report = await field.report('surge');
  expect(report).toMatchObject({ state: 'done', problem: null });
  expect(new Set(report.nodes.map(({ node }) => node.instanceId)).size).toBe(6);
  const state = await expectClean(field);
  expect(state.groups.map(({ min, max, desired, inService }) => ({ min, max, desired, inService }))).toEqual([
    { min: 1, max: 3, desired: 3, inService: 3 },
    { min: 1, max: 4, desired: 3, inService: 3 },
  ]);
});
