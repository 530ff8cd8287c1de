import { expect, it } from 'vitest';
import { clusterState, settledState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { CHART_IS_THERE, policyMode, providerIds, unknownPods } from '../support/strategies.js';

const up = fieldsPerTest();

it.runIf(CHART_IS_THERE)('chain: limits are accepted, pods restart owner by owner, the worker killed in the middle; no node goes, and every pod is known', async () => {
  const field = await up({ nodes: 2 });
  const nodes = await providerIds(field);
  const was = await settledState(field);
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
  expect(after).toMatchObject({ groups: was.groups, workloads: was.workloads, addons: was.addons, agents: { awsNode: true, cilium: '2/2' }, labelled: 0, cordoned: 0, lease: null, guardsLedger: false, violations: [], killedPods: 0 });
});
