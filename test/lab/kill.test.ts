import { describe, expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean, migrateWithKills } from '../support/killing.js';
import { killPointsOf } from '../support/killPoints.js';

const up = fieldsPerTest();

/** One migration with many deaths; the whole matrix, each death alone and compared with a run that was not killed, is test/full. */
const CHOSEN = [
  'in the middle of labelling (2nd node)',
  'helm install: before the DaemonSet',
  'after the termination',
  'after the DaemonSet aws-node is deleted',
];

describe('kill -9 of the worker', () => {
  it('again and again in one migration: it ends done with every zone, group and workload as before, even where a replacement gets the old address', async () => {
    const field = await up({ nodes: 3, awsNode: 'selfmanaged', managed: false, reuseAddress: true });
    const { nodesPerZone, groups, workloads } = await clusterState(field);
    const points = killPointsOf('selfmanaged').filter((point) => CHOSEN.includes(point.name));
    expect(points).toHaveLength(CHOSEN.length);
    const report = await migrateWithKills(field, field.spec('k-1'), { name: 'k-1', points });
    expect(report).toMatchObject({ state: 'done', problem: null });
    expect(await expectClean(field)).toMatchObject({ nodesPerZone, groups, workloads, helm: { status: 'deployed' } });
  });
});
