import { describe, expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean, expectSame, migrateWithKills } from '../support/killing.js';
import { killPointsOf } from '../support/killPoints.js';

const up = fieldsPerTest();

/** One migration with many deaths; the whole matrix, each death alone, is test/full. */
const CHOSEN = [
  'in the middle of labelling (2nd node)',
  'helm install: before the DaemonSet',
  'after the termination',
  'after the DaemonSet aws-node is deleted',
];

describe('kill -9 of the worker', () => {
  it('again and again in one migration: it ends as one that was not killed, even where a replacement gets the old address', async () => {
    const shape = { nodes: 2, awsNode: 'selfmanaged', managed: false, reuseAddress: true } as const;
    const [killed, undisturbed] = await Promise.all([up(shape), up(shape)]);
    undisturbed.startWorker();
    const beside = undisturbed.migrate(undisturbed.spec('k-2'), 'k-2');
    const points = killPointsOf('selfmanaged').filter((point) => CHOSEN.includes(point.name));
    expect(points).toHaveLength(CHOSEN.length);
    const report = await migrateWithKills(killed, killed.spec('k-1'), { name: 'k-1', points });
    expect(report).toMatchObject({ state: 'done', problem: null });
    await expectClean(killed);

    await beside;
    expectSame(await clusterState(killed), await clusterState(undisturbed));
  });
});
