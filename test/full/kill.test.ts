import { beforeAll, describe, expect, it } from 'vitest';
import type { NodeStep } from '../../domain/refresh.js';
import type { MigrationReport } from '../../domain/status.js';
import type { LabOptions } from '../../lab/index.js';
import { clusterState } from '../support/clusterState.js';
import type { ClusterState } from '../support/clusterState.js';
import { Field } from '../support/field.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean, expectSame, migrateKilledAt, migrateWithKills } from '../support/killing.js';
import { KILL_POINTS, killPointsOf } from '../support/killPoints.js';

/** The replacement gets the address, and so the name, of the node before it: every death is tried under the worst identity. */
const SHAPE = { nodes: 2, reuseAddress: true } as const;
const up = fieldsPerTest();
const rows = resultRows('kill', {
  title: 'kill -9 of the worker, each death alone',
  about: [
    'A migration of 2 nodes whose worker is killed with SIGKILL while the request named is held, before or after the server has done it, or while a node is',
    'seen at a step in which nothing is written; a new worker takes over. `same` compares with a run that was not killed: nodes per zone, group sizes,',
    'suspended processes, taints, cordons, annotations, Helm revision and values, add-ons, orphan instances, workloads, violations that the lab saw. Lab: no datapath, no real AWS.',
  ],
});

/** Steps of a node in which nothing is written, each in a lab that takes its time there. */
const WAITS: { step: NodeStep; options: LabOptions }[] = [
  { step: 'await-terminated', options: { instanceTerminationDelay: 5_000 } },
  { step: 'await-node-gone', options: { cloudController: 'slow', cloudControllerDelay: 5_000 } },
  { step: 'await-replacement', options: { bootDelay: 5_000 } },
  { step: 'await-workloads', options: { podStartDelay: 5_000 } },
];

async function migrated(options: { awsNode: 'addon' | 'selfmanaged'; managed: boolean }): Promise<ClusterState> {
  const field = await Field.up({ ...SHAPE, ...options });
  try {
    field.startWorker();
    await field.migrate(field.spec('k-0'), 'k-0');
    return await clusterState(field);
  } finally {
    await field.down();
  }
}

describe.each([
  { awsNode: 'addon' as const, managed: true, points: killPointsOf('addon') },
  // The others pass through the same code whoever owns aws-node.
  { awsNode: 'selfmanaged' as const, managed: false, points: KILL_POINTS.filter((point) => point.only === 'selfmanaged') },
])('aws-node $awsNode', ({ awsNode, managed, points }) => {
  let undisturbed: ClusterState;
  beforeAll(async () => {
    undisturbed = await migrated({ awsNode, managed });
  });

  /** One death in one migration, which must end as the one without. */
  async function killedOnce(killed: string, options: LabOptions, migrate: (field: Field) => Promise<MigrationReport>): Promise<void> {
    const started = Date.now();
    const row: Record<string, string | number> = { 'aws-node': awsNode, killed, outcome: 'failed', same: 'no', seconds: 0 };
    rows.push(row);
    const field = await up({ ...SHAPE, awsNode, managed, ...options });
    const report = await migrate(field);
    row['outcome'] = report.state;
    row['seconds'] = Math.round((Date.now() - started) / 1000);
    expect(report).toMatchObject({ state: 'done', problem: null });
    expectSame(await expectClean(field), undisturbed);
    row['same'] = 'yes';
  }

  it.each(points)('$name', (point) => killedOnce(point.name, {}, (field) => migrateWithKills(field, field.spec('k-1'), { name: 'k-1', points: [point] })));

  it.each(awsNode === 'addon' ? WAITS : [])('while a node is at $step', ({ step, options }) =>
    killedOnce(`while a node is at ${step}`, options, (field) => migrateKilledAt(field, field.spec('k-1'), { name: 'k-1', step })),
  );
});
