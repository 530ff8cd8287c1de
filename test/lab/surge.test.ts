import { expect, it } from 'vitest';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();

it('a surge: capacity first, several nodes at a time, sizes and zones as before, nothing left over', async () => {
  const field = await up({ nodes: 6, groups: [{ name: 'one', managed: true, desired: 3, max: 3 }, { name: 'two', managed: false, desired: 3, max: 4 }] });
  field.startWorker();
  const report = await field.migrate(field.spec('surge', { refresh: { maxSurge: 3, maxUnavailable: 0 } }), 'surge');
  expect(report).toMatchObject({ state: 'done', problem: null });
  const state = await expectClean(field);
  expect(state.groups.map(({ min, max, desired, inService }) => ({ min, max, desired, inService }))).toEqual([
    { min: 1, max: 3, desired: 3, inService: 3 },
    { min: 1, max: 4, desired: 3, inService: 3 },
  ]);
  expect(Object.values(state.nodesPerZone)).toEqual([2, 2, 2]);
  expect(report.nodes).toHaveLength(6);
});
