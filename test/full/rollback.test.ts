import { describe, expect, it } from 'vitest';
import { DescribeAddonCommand, EKSClient, UpdateAddonCommand } from '@aws-sdk/client-eks';
import { AppsV1Api } from '@kubernetes/client-node';
import type { LabOptions } from '../../lab/index.js';
import { clusterState } from '../support/clusterState.js';
import type { Field } from '../support/field.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { pinToKarpenter } from '../support/karpenter.js';
import { expectClean, migrateWithKills, untilHeld, untilLetGo } from '../support/killing.js';
import { ROLLBACK_KILL_POINTS } from '../support/killPoints.js';
import type { KillPoint } from '../support/killPoints.js';
import { before, expectReturned, halfWay, untouched } from '../support/wayBack.js';

const up = fieldsPerTest();
const rows = resultRows('rollback', {
  title: 'The way back, from each beginning',
  about: [
    'A migration of 3 nodes is left at the beginning named (untouched: Cilium installed, no node on it; half-way: one node on it, aborted; removed: done),',
    'then rolled back; where a death is named, the worker is killed with SIGKILL while that request is held. `as before` compares with the cluster before the',
    "migration: nodes per zone, group sizes, suspended processes, taints, cordons, aws-node's image, environment and affinity, add-on with version, configuration,",
    'role and pod identity, no Helm release, no agent of Cilium, no label, Lease or ledger of ours, no orphan instance, workloads whole, no violation that the lab saw.',
    'Lab: no datapath, no real AWS.',
  ],
});

type Beginning = 'untouched' | 'half-way' | 'removed';
type Owner = 'addon' | 'selfmanaged';

const BEGINNINGS: Record<Beginning, (field: Field, name: string) => Promise<void>> = {
  untouched,
  'half-way': halfWay,
  removed: async (field, name) => {
    field.startWorker();
    expect(await field.migrate(field.spec(name), name)).toMatchObject({ state: 'done' });
  },
};
const CASES = (Object.keys(BEGINNINGS) as Beginning[]).flatMap((beginning) => (['addon', 'selfmanaged'] as const).map((owner) => ({ beginning, owner })));

function shape(owner: Owner): LabOptions {
  return { nodes: 3, awsNode: owner, managed: owner === 'addon' };
}

/** Migrates to where the rollback is to begin, rolls back, and compares with what was before. */
async function rolledBack({ beginning, owner, points }: { beginning: Beginning; owner: Owner; points: KillPoint[] }): Promise<void> {
  const started = Date.now();
  const row: Record<string, string | number> = { beginning, 'aws-node': owner, killed: points.map(({ name }) => name).join('; '), 'as before': 'no', seconds: 0 };
  rows.push(row);
  const field = await up(shape(owner));
  if (owner === 'addon') await givePodIdentity(field);
  const was = await before(field);
  await BEGINNINGS[beginning](field, 'r-1');
  const began = Date.now();
  const report = await migrateWithKills(field, field.spec('r-1'), { name: 'r-1', points, verb: 'rollback' });
  row['seconds'] = Math.round((Date.now() - began) / 1000);
  await expectReturned(field, report, was);
  if (beginning === 'untouched') expect(report.nodes).toEqual([]);
  row['as before'] = 'yes';
  console.log(`${beginning}, ${owner}: ${Math.round((Date.now() - started) / 1000)} s`);
}

/** A role by pod identity goes with the add-on: it must come back with it. */
async function givePodIdentity(field: Field): Promise<void> {
  const name = { clusterName: field.lab.clusterName, addonName: 'vpc-cni' };
  await field.aws(EKSClient).send(new UpdateAddonCommand({ ...name, podIdentityAssociations: [{ serviceAccount: 'aws-node', roleArn: 'arn:aws:iam::123456789012:role/vpc-cni' }] }));
  await expect.poll(async () => (await before(field)).aws.addon?.pods, { timeout: 30_000 }).toBe(1);
  await expect.poll(() => addonStatus(field), { timeout: 30_000 }).toBe('ACTIVE');
}

async function addonStatus(field: Field): Promise<string | undefined> {
  return (await field.aws(EKSClient).send(new DescribeAddonCommand({ clusterName: field.lab.clusterName, addonName: 'vpc-cni' }))).addon?.status;
}

describe('undisturbed', () => {
  it.each(CASES)('from $beginning, aws-node $owner', ({ beginning, owner }) => rolledBack({ beginning, owner, points: [] }));
});

it('with a surge over managed groups: extra nodes come up on aws-node, zones and sizes as before', async () => {
  const field = await up({ nodes: 6, groups: [{ name: 'one', managed: true, desired: 3, max: 3 }, { name: 'two', managed: false, desired: 3, max: 4 }] });
  const was = await before(field);
  field.startWorker();
  const surging = field.spec('r-1', { refresh: { maxSurge: 2, maxUnavailable: 0 } });
  expect(await field.migrate(surging, 'r-1')).toMatchObject({ state: 'done', problem: null });
  const terminating = { target: 'aws', action: 'TerminateInstanceInAutoScalingGroup', phase: 'after' } as const;
  const report = await migrateWithKills(field, surging, { name: 'r-1', points: [{ name: 'a termination in the surge', rule: { ...terminating, hold: true, nth: 3, count: 1 } }], verb: 'rollback' });
  await expectReturned(field, report, was);
  expect(report.tally).toEqual({ refreshed: 6 });
});

it('of a mixed cluster: nodes of Karpenter go with their NodeClaims, and come back with their pods', async () => {
  const field = await up({ groups: [{ name: 'workers', desired: 2 }], karpenter: 2 });
  await pinToKarpenter(field.kube, 2);
  await expect.poll(async () => (await clusterState(field)).workloads['pinned'], { timeout: 60_000 }).toBe('2/2');
  const was = await before(field);
  field.startWorker();
  const file = field.spec('r-1', { refresh: { canary: false } });
  expect(await field.migrate(file, 'r-1')).toMatchObject({ state: 'done', problem: null });
  const report = await migrateWithKills(field, file, { name: 'r-1', points: [{ name: 'a NodeClaim deleted', rule: { target: 'kubernetes', method: 'DELETE', path: '/nodeclaims/', phase: 'after', hold: true, count: 1 } }], verb: 'rollback' });
  await expectReturned(field, report, was);
  expect(report.tally).toEqual({ refreshed: 4 });
});

it('a rollback that ends early is rolled back by a start: forward to the end again', async () => {
  const field = await up(shape('addon'));
  await BEGINNINGS.removed(field, 'r-1');
  const gated = field.spec('r-1', { approvals: ['after-canary'] });
  expect((await field.ciliate('rollback', '-f', gated)).code).toBe(0);
  await field.statusWhere('r-1', (status) => status.gate?.gate === 'after-canary');
  const open = await field.ciliate('rollback', 'r-1');
  expect(open.err).toMatch(/End it first: `ciliate abort r-1 --reason TEXT`/);
  await field.ciliate('abort', 'r-1', '--reason', 'test');
  expect(await field.report('r-1')).toMatchObject({ state: 'aborted', toward: 'aws-node', counts: { aws: 1, cilium: 2 } });
  const report = await field.migrate(field.spec('r-1'), 'r-1');
  expect(report).toMatchObject({ state: 'done', problem: null, tally: { refreshed: 1 } });
  await expectClean(field);
});

it('aborted while helm confines Cilium: Cilium goes to new nodes again, and no agent is lost', async () => {
  const field = await up({ nodes: 2, awsNode: 'selfmanaged', managed: false });
  await BEGINNINGS.removed(field, 'r-1');
  const [point] = ROLLBACK_KILL_POINTS.filter(({ name }) => name.includes('Cilium confined'));
  if (point === undefined) throw new Error('no such kill point');
  const rule = await field.lab.faults.add(point.rule);
  expect((await field.ciliate('rollback', '-f', field.spec('r-1'))).code).toBe(0);
  await untilHeld(field.lab, rule);
  await field.ciliate('abort', 'r-1', '--reason', 'test');
  // Its helm is killed with the step; what it had sent was carried out.
  await untilLetGo(field.lab, rule);
  await field.lab.faults.remove(rule);
  const report = await field.report('r-1');
  expect(report).toMatchObject({ state: 'aborted', toward: 'aws-node' });
  expect(report.notes.join()).toContain('Cilium goes to new nodes again');
  expect(await ciliumAffinity(field)).not.toContain('ciliate.io/cni');
  expect(await field.migrate(field.spec('r-1'), 'r-1')).toMatchObject({ state: 'done', problem: null, tally: {} });
  expect((await expectClean(field)).agents.cilium).toBe('2/2');
});

async function ciliumAffinity(field: Field): Promise<string> {
  const daemonSet = await field.kube.makeApiClient(AppsV1Api).readNamespacedDaemonSet({ namespace: 'kube-system', name: 'cilium' });
  return JSON.stringify(daemonSet.spec?.template.spec?.affinity);
}

describe.each([
  { beginning: 'half-way' as const, owner: 'addon' as const },
  { beginning: 'removed' as const, owner: 'selfmanaged' as const },
])('killed, from $beginning, aws-node $owner', ({ beginning, owner }) => {
  const names = ROLLBACK_KILL_POINTS.filter(({ only }) => only === undefined || only === owner)
    // One node to mark there; labels of aws-node are none any more after a migration.
    .filter(({ name }) => (beginning === 'half-way' ? !name.includes('2nd node') : !name.startsWith('labels:')))
    .map(({ name }) => name);
  it.each(names)('%s', (name) => rolledBack({ beginning, owner, points: ROLLBACK_KILL_POINTS.filter((point) => point.name === name) }));
});
