import { CoreV1Api } from '@kubernetes/client-node';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import type { ManifestInput } from '../../domain/spec/schema.js';
import { CHAIN_ROLLBACK_PHASES } from '../../domain/status.js';
import { clusterState } from '../support/clusterState.js';
import type { Field } from '../support/field.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean, migrateWithKills } from '../support/killing.js';
import { ROLLBACK_KILL_POINTS } from '../support/killPoints.js';
import { CHART_IS_THERE, policyMode, providerIds, unknownPods } from '../support/strategies.js';
import { before, expectReturned } from '../support/wayBack.js';

/** Every limit that holds in a lab. */
const ACCEPTED = { acceptLimits: ['l7', 'ipsec', 'eni', 'host-routing', 'replace-later'] } satisfies ManifestInput['spec']['chain'];
/** On the way back. */
const KILLED = ['helm upgrade: Cilium confined, nobody heard', 'after the termination'];

const up = fieldsPerTest();

it.runIf(CHART_IS_THERE)('off a chain: its nodes are replaced, the worker killed on the way; aws-node alone, and everything as it was; then the nodes are replaced by Cilium’s', async () => {
  const field = await up({ nodes: 3 });
  const nodes = await providerIds(field);
  const was = await before(field);
  field.startWorker();
  const file = field.spec('c-1', { strategy: 'chain', chain: ACCEPTED });
  expect(await field.migrate(file, 'c-1')).toMatchObject({ state: 'done', problem: null, nodes: [] });
  const again = await field.migrate(file, 'c-1');
  expect(again.phases.find(({ phase }) => phase === 'restart')?.note).toBe('0 workloads restarted, 0 pods evicted');
  const other = await field.ciliate('preflight', '-f', field.spec('c-1'));
  expect(other).toMatchObject({ code: 1 });
  expect(other.out).toContain('other-datapath');

  // And back: nodes that have run Cilium are replaced, however they came to it.
  const wrong = await field.ciliate('rollback', '-f', field.spec('c-1'), '--plan');
  expect(wrong).toMatchObject({ code: 1 });
  expect(wrong.out).toContain('rollback-other-strategy');
  const back = field.spec('c-1', { strategy: 'chain' });
  const planned = await field.ciliate('rollback', '-f', back, '--plan');
  expect(planned.code, planned.out).toBe(0);
  expect(planned.out).toMatch(/READY\. 3 nodes to replace[\s\S]*rollback-chained/);
  const returned = await migrateWithKills(field, back, { name: 'c-1', points: ROLLBACK_KILL_POINTS.filter(({ name }) => KILLED.includes(name)), verb: 'rollback' });
  await expectReturned(field, returned, was);
  expect(returned.phases.map(({ phase }) => phase)).toEqual([...CHAIN_ROLLBACK_PHASES]);
  expect(returned.tally).toEqual({ refreshed: 3 });
  expect((await providerIds(field)).filter((id) => nodes.includes(id))).toEqual([]);
  // The other strategy is free to begin now.
  expect(await field.migrate(field.spec('c-1'), 'c-1')).toMatchObject({ state: 'done', problem: null, tally: { refreshed: 3 } });
  await expectClean(field);
});

it.runIf(CHART_IS_THERE)('off a chain, ended early: a start chains again; ended early once more, and Cilium uninstalled by hand: the rollback still knows its nodes, and brings no agent to the others', async () => {
  const field = await up({ nodes: 2, awsNode: 'selfmanaged', managed: false });
  const was = await before(field);
  field.startWorker();
  const chain = (approvals: 'after-canary'[] = []) => field.spec('c-1', { strategy: 'chain', chain: ACCEPTED, approvals });
  expect(await field.migrate(chain(), 'c-1')).toMatchObject({ state: 'done', problem: null });

  await endedEarly(field, chain(['after-canary']));
  expect((await clusterState(field)).agents).toMatchObject({ awsNode: true, cilium: '1/1' });
  expect(await field.migrate(chain(), 'c-1')).toMatchObject({ state: 'done', problem: null, nodes: [] });
  expect((await clusterState(field)).agents).toMatchObject({ awsNode: true, cilium: '2/2' });
  expect([await unknownPods(field), await policyMode(field), await marked(field)]).toEqual([[], 'default', []]);

  await endedEarly(field, chain(['after-canary']));
  const [last] = await marked(field);
  await execa('helm', ['-n', 'kube-system', 'uninstall', 'cilium', '--wait'], { env: { ...field.env, KUBECONFIG: field.lab.kubeconfig }, extendEnv: false });
  const plan = await field.ciliate('rollback', '-f', chain(), '--plan', '-o', 'json');
  expect(plan.code, plan.out).toBe(0);
  expect(JSON.parse(plan.out)).toMatchObject({ situation: 'half-way', nodes: [{ name: last }] });
  expect((await field.ciliate('rollback', '-f', field.spec('c-1'), '--plan')).out).toContain('rollback-other-strategy');
  expect((await field.ciliate('rollback', '-f', chain())).code).toBe(0);
  const report = await field.report('c-1');
  await expectReturned(field, report, was);
  expect(report.tally).toEqual({ refreshed: 1 });
});

/** Leaves a rollback after its first node. */
async function endedEarly(field: Field, file: string): Promise<void> {
  expect((await field.ciliate('rollback', '-f', file)).code).toBe(0);
  await field.statusWhere('c-1', (status) => status.gate?.gate === 'after-canary', 180_000);
  await field.ciliate('abort', 'c-1', '--reason', 'test');
  const report = await field.report('c-1');
  expect(report).toMatchObject({ state: 'aborted', toward: 'aws-node', strategy: 'chain', counts: { aws: 1, cilium: 1 } });
  expect(report.notes.join()).toContain('new nodes come up on aws-node alone');
}

async function marked(field: Field): Promise<(string | undefined)[]> {
  const { items } = await field.kube.makeApiClient(CoreV1Api).listNode({ labelSelector: 'ciliate.io/cni' });
  return items.map(({ metadata }) => metadata?.name);
}
