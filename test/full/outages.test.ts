import { AutoScalingClient, PutScheduledUpdateGroupActionCommand, SetDesiredCapacityCommand } from '@aws-sdk/client-auto-scaling';
import { expect, it } from 'vitest';
import type { MigrationReport } from '../../domain/status.js';
import type { LabOptions } from '../../lab/index.js';
import { clusterState } from '../support/clusterState.js';
import type { Field } from '../support/field.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();
const rows = resultRows('outages', {
  title: 'Outages and odd clusters',
  about: ['Each a whole migration on a lab of its own that must end done, with nothing left behind.'],
});

interface Case {
  name: string;
  lab?: LabOptions;
  during?: (field: Field) => Promise<void>;
  /** What the report's notes must name. */
  notes?: RegExp;
}

const CASES: Case[] = [
  { name: 'the API server away for a minute', during: (on) => on.lab.faults.away('kubernetes', 60_000) },
  { name: 'kube-apiserver killed and back after 10 s', during: (on) => on.lab.faults.restartApiServer(10_000) },
  { name: 'AWS away for a minute', during: (on) => on.lab.faults.away('aws', 60_000) },
  { name: 'AWS throttling every call for a minute', during: async (on) => void (await on.lab.faults.add({ target: 'aws', throttle: true, until: Date.now() + 60_000 })) },
  { name: "Temporal's server killed three times", during: async (on) => {
    for (let i = 0; i < 3; i++) {
      await on.restartTemporal();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
  } },
  { name: 'a scheduled action that falls due meanwhile', notes: /ASG \S+: scheduled action nightly was due at .* while ScheduledActions was suspended \(desired 5\)/, during: async (on) => {
    const [group] = (await on.lab.status()).groups;
    const StartTime = new Date(Date.now() + 2_000);
    await on.aws(AutoScalingClient).send(new PutScheduledUpdateGroupActionCommand({ AutoScalingGroupName: group?.name, ScheduledActionName: 'nightly', StartTime, DesiredCapacity: 5 }));
  } },
  { name: 'nobody deletes the Nodes of dead instances', lab: { cloudController: 'off' } },
  // The label is off the old Node before the next instance boots, as in reality, where a boot takes half a minute.
  { name: 'a kubelet that adopts the old Node of its address',
    lab: { bootDelay: 2_000, reuseAddress: true, staleNode: 'adopt', cloudController: 'slow', cloudControllerDelay: 2_000 } },
  { name: 'two groups', lab: { nodes: 4, groups: 2 } },
  { name: 'a cluster of one zone', lab: { zones: 1 } },
];

it.each(CASES)('$name', async ({ name, lab, during, notes }) => {
  const field = await up({ nodes: 2, ...lab });
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('odd'))).code).toBe(0);
  await field.statusWhere('odd', (status) => status.phase === 'refresh', 180_000);
  await during?.(field);
  const report: MigrationReport = await field.report('odd');
  rows.push({ case: name, outcome: report.state, problem: report.problem ?? '' });
  expect(report).toMatchObject({ state: 'done', problem: null });
  if (notes) expect(report.notes.join('\n')).toMatch(notes);
  await expectClean(field);
});

/** Nodes that are not replaced need others for their pods, so Cilium nodes have to be there first: a second run, after a first one. */
it('shouldDecrementDesiredCapacity: Cilium nodes are there already, and the old ones go without replacement', async () => {
  const field = await up({ nodes: 3 });
  field.startWorker();
  // One file a name: written again before each use.
  const shrinking = () => field.spec('shrink', { refresh: { shouldDecrementDesiredCapacity: true } });

  const refused = await field.ciliate('preflight', '-f', shrinking());
  expect(refused.code).toBe(1);
  expect(refused.out).toContain('no node is on Cilium yet');
  expect(refused.out).toContain('3 - 3 < MinSize 1');

  expect((await field.ciliate('start', '-f', field.spec('shrink', { approvals: ['after-canary'] }))).code).toBe(0);
  await field.statusWhere('shrink', (status) => status.gate?.gate === 'after-canary', 180_000);
  expect((await field.ciliate('abort', 'shrink', '--reason', 'the others shall go without replacement')).code).toBe(0);
  expect((await field.report('shrink')).state).toBe('aborted');

  const [group] = (await field.lab.status()).groups;
  await field.aws(AutoScalingClient).send(new SetDesiredCapacityCommand({ AutoScalingGroupName: group?.name, DesiredCapacity: 5 }));
  await expect.poll(async () => (await clusterState(field)).agents.cilium, { timeout: 60_000 }).toBe('3/3');

  const plan = await field.ciliate('plan', '-f', shrinking());
  expect(plan.code, plan.out).toBe(0);
  const report = await field.migrate(shrinking(), 'shrink');
  rows.push({ case: 'shouldDecrementDesiredCapacity', outcome: report.state, problem: report.problem ?? '' });
  expect(report).toMatchObject({ state: 'done', problem: null, counts: { aws: 0, cilium: 3 } });
  // Two old nodes; where they leave the zones uneven, Cilium nodes go too, until each has one.
  expect(report.nodes.slice(0, 2).map(({ outcome, replacement }) => ({ outcome, replacement }))).toEqual([{ outcome: 'refreshed' }, { outcome: 'refreshed' }]);
  const state = await expectClean(field);
  expect(Object.values(state.nodesPerZone)).toEqual([1, 1, 1]);
  expect(state.groups).toMatchObject([{ desired: 3, inService: 3 }]);
  expect(state.agents.cilium).toBe('3/3');
});
