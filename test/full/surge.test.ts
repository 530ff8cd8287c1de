import { AutoScalingClient, DescribeAutoScalingGroupsCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CoreV1Api } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { clusterState, settledState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean, killedWhile, untilHeld } from '../support/killing.js';

const up = fieldsPerTest();

it('an abort in the middle of a surge, its worker killed while it takes the extra nodes back: sizes and zones as before; the same start goes on', async () => {
  const field = await up({ nodes: 6, groups: [{ name: 'one', managed: true, desired: 3, max: 3 }, { name: 'two', managed: false, desired: 3, max: 4 }] });
  const before = await settledState(field);
  const terminating = { target: 'aws', action: 'TerminateInstanceInAutoScalingGroup', hold: true } as const;
  const first = await field.lab.faults.add({ ...terminating, count: 3 });
  field.startWorker();
  const file = field.spec('back', { refresh: { maxSurge: 3, maxUnavailable: 0, canary: false } });
  expect((await field.ciliate('start', '-f', file)).code).toBe(0);
  await untilHeld(field.lab, first);
  expect((await field.ciliate('abort', 'back', '--reason', 'wrong window')).code).toBe(0);
  await field.lab.faults.remove(first);
  const { state, awaits } = await field.statusWhere('back', (status) => status.awaits[0]?.object === 'Surge', 120_000);
  expect(state).toBe('aborting');
  expect(awaits[0]?.todo).toContain('ciliate abort back');
  const report = await killedWhile(field, { lab: field.lab, rule: { ...terminating, body: 'ShouldDecrementDesiredCapacity=true', phase: 'after' } }, () => field.report('back'));
  expect(report.state).toBe('aborted');
  expect(report.notes.join()).toContain('extra nodes that were drained and taken back');
  const after = await clusterState(field);
  expect(after).toMatchObject({ nodesPerZone: before.nodesPerZone, groups: before.groups, workloads: before.workloads });
  expect(after).toMatchObject({ cordoned: 0, leftovers: [], lease: null, guardsLedger: false, orphans: [], violations: [], killedPods: 0 });
  expect(after.taints.filter((key) => key.includes('ciliate'))).toEqual([]);
  expect(after.labelled).toBeGreaterThan(0);
  expect(await field.migrate(file, 'back')).toMatchObject({ state: 'done', problem: null });
  expect((await expectClean(field)).groups.map(({ max, desired }) => ({ max, desired }))).toEqual(before.groups.map(({ max, desired }) => ({ max, desired })));
});

it('zones that became uneven are evened out, drained, before AZRebalance is resumed', async () => {
  const field = await up({ nodes: 3, groups: [{ name: 'even', managed: false, desired: 3, max: 3 }] });
  const { nodesPerZone } = await clusterState(field);
  const { items } = await field.kube.makeApiClient(CoreV1Api).listNode();
  const last = items.find((node) => node.metadata?.labels?.['topology.kubernetes.io/zone']?.endsWith('c'))?.metadata?.name ?? '';
  const aws = field.aws(AutoScalingClient);
  const group = async () => (await aws.send(new DescribeAutoScalingGroupsCommand({}))).AutoScalingGroups?.[0];
  const launchInto = (subnets: string | undefined) => group().then((of) => aws.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: of?.AutoScalingGroupName, VPCZoneIdentifier: subnets })));
  const subnets = (await group())?.VPCZoneIdentifier;
  // AWS has no room in the other zones while the last node is replaced.
  const held = await field.lab.faults.add({ target: 'aws', action: 'TerminateInstanceInAutoScalingGroup', hold: true, nth: 3, count: 1 });
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('even', { refresh: { canary: false, order: { last: [last] } } }))).code).toBe(0);
  await untilHeld(field.lab, held);
  await launchInto(subnets?.split(',')[0]);
  await field.lab.faults.remove(held);
  await expect.poll(async () => (await group())?.Instances?.filter(({ AvailabilityZone, LifecycleState }) => AvailabilityZone?.endsWith('a') && LifecycleState !== 'Terminating').length, { timeout: 60_000, interval: 20 }).toBe(2);
  await launchInto(subnets);
  const report = await field.report('even');
  expect(report).toMatchObject({ state: 'done', problem: null });
  expect(report.nodes.length).toBeGreaterThan(3);
  expect(await expectClean(field)).toMatchObject({ nodesPerZone, groups: [{ max: 3, desired: 3, inService: 3 }] });
});

it('an abort of a surge that cannot be launched calls the launches off: no node goes for one that never came', async () => {
  const field = await up({ nodes: 3, groups: [{ name: 'full', managed: false, desired: 3, max: 3 }] });
  const before = await settledState(field);
  const nodes = async () => (await field.kube.makeApiClient(CoreV1Api).listNode()).items.map(({ metadata }) => metadata?.uid).sort();
  const uids = await nodes();
  await field.lab.faults.aws({ launchFailure: 'We currently do not have sufficient m5.large capacity' });
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('full', { refresh: { maxSurge: 2, maxUnavailable: 0 } }))).code).toBe(0);
  await expect.poll(async () => (await clusterState(field)).groups[0]?.desired, { timeout: 180_000 }).toBe(5);
  expect((await field.ciliate('abort', 'full', '--reason', 'no capacity')).code).toBe(0);
  expect((await field.report('full')).state).toBe('aborted');
  await field.lab.faults.aws({ launchFailure: null });
  expect(await clusterState(field)).toMatchObject({ groups: before.groups, cordoned: 0, lease: null, guardsLedger: false, violations: [], orphans: [] });
  expect(await nodes()).toEqual(uids);
});
