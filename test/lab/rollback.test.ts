import { describe, expect, it } from 'vitest';
import { fieldsPerTest } from '../support/fields.js';
import { migrateWithKills } from '../support/killing.js';
import { ROLLBACK_KILL_POINTS } from '../support/killPoints.js';
import { before, expectReturned, halfWay } from '../support/wayBack.js';

const up = fieldsPerTest();

/** One rollback with many deaths; the matrix of beginnings, owners of aws-node and deaths is test/full/rollback.test.ts. */
const CHOSEN = ['helm upgrade: Cilium confined, nobody heard', "after aws-node's affinity", 'after the termination', 'helm uninstall: in the middle'];

describe('the way back', () => {
  it('from half way, its worker killed again and again: aws-node everywhere and as it was, nothing of Cilium, nothing borrowed', async () => {
    const field = await up({ nodes: 3, awsNode: 'selfmanaged', managed: false });
    const was = await before(field);
    await halfWay(field, 'r-1');
    const file = field.spec('r-1');
    const plan = await field.ciliate('rollback', '-f', file, '--plan');
    expect(plan.err).toBe('');
    expect(plan.code).toBe(0);
    expect(plan.out).toMatch(/READY\. 1 node to replace/);
    const points = ROLLBACK_KILL_POINTS.filter(({ name }) => CHOSEN.includes(name));
    expect(points).toHaveLength(CHOSEN.length);
    const report = await migrateWithKills(field, file, { name: 'r-1', points, verb: 'rollback' });
    await expectReturned(field, report, was);
    expect(report.tally).toEqual({ refreshed: 1 });
  });
});
