import { expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { migrateWithKills } from '../support/killing.js';
import { ROLLBACK_KILL_POINTS } from '../support/killPoints.js';
import { CHART_IS_THERE, policyMode, providerIds, unknownPods } from '../support/strategies.js';
import { before, expectReturned } from '../support/wayBack.js';
import { CHAIN_ROLLBACK_PHASES } from '../../domain/status.js';

/** On its way back. */
const KILLED = ['helm upgrade: Cilium confined, nobody heard', 'after the termination'];

const up = fieldsPerTest();

it.runIf(CHART_IS_THERE)('chain: limits are accepted, pods restart owner by owner, the worker killed in the middle; no node goes, and every pod is known; and back again', async () => {
  const field = await up({ nodes: 3 });
  const nodes = await providerIds(field);
  const was = await before(field);
  field.startWorker();
  const file = field.spec('c-1', { strategy: 'chain' });
  const advice = await field.ciliate('advise', '-f', file);
  expect(advice.code, advice.err).toBe(0);
  for (const line of [/^\s*replace /m, /^\s*chain /m, /^\s*clean .*BLOCKED|user-workloads/im]) expect(advice.out).toMatch(line);
  const plan = await field.ciliate('plan', '-f', file);
  expect(plan.out).toContain('Restart the pods that Cilium does not know');
  expect((await field.ciliate('start', '-f', file)).code).toBe(0);
  const { gate } = await field.statusWhere('c-1', (status) => status.gate !== null);
  expect(gate?.gate).toBe('accept-limits');
  expect(gate?.shows.join()).toMatch(/l7: .*ipsec: /);
  // The cluster is as it was until somebody has accepted them.
  expect((await clusterState(field)).lease).toBeNull();
  expect((await field.ciliate('approve', 'c-1', 'accept-limits', '--reason', 'known')).code).toBe(0);
  await field.statusWhere('c-1', ({ phase }) => phase === 'restart', 120_000);
  expect(await policyMode(field)).toBe('never');
  await field.killWorker();
  field.startWorker();
  const report = await field.report('c-1');
  expect(report).toMatchObject({ state: 'done', problem: null, strategy: 'chain', nodes: [] });
  expect(await unknownPods(field)).toEqual([]);
  expect(await providerIds(field)).toEqual(nodes);
  expect(await policyMode(field)).toBe('default');
  const after = await clusterState(field);
  expect(after).toMatchObject({ groups: was.state.groups, workloads: was.state.workloads, addons: was.state.addons, agents: { awsNode: true, cilium: '3/3' }, labelled: 0, cordoned: 0, lease: null, guardsLedger: false, violations: [], killedPods: 0 });

  const again = await field.migrate(field.spec('c-1', { strategy: 'chain', chain: { acceptLimits: ['l7', 'ipsec', 'eni', 'host-routing', 'replace-later'] } }), 'c-1');
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
  expect(await field.ciliate('preflight', '-f', field.spec('c-1'))).toMatchObject({ code: 0 });
});
