import { CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { realChart } from '../support/field.js';
import type { Field } from '../support/field.js';
import { fieldsPerTest } from '../support/fields.js';

const up = fieldsPerTest();
const there = realChart('1.20.0') !== undefined;
if (!there) console.log("no real chart beside the checkout: strategies are not tested in the lab (its stand-in chart knows ENI mode only)");

async function providerIds(field: Field): Promise<string[]> {
  return (await field.kube.makeApiClient(CoreV1Api).listNode()).items.map(({ spec }) => spec?.providerID ?? '').sort();
}

/** Running pods on the pod network that Cilium does not know. */
async function unknownPods(field: Field): Promise<string[]> {
  const [pods, endpoints] = await Promise.all([
    field.kube.makeApiClient(CoreV1Api).listPodForAllNamespaces(),
    field.kube.makeApiClient(CustomObjectsApi).listClusterCustomObject({ group: 'cilium.io', version: 'v2', plural: 'ciliumendpoints' }) as Promise<{ items: { metadata: { namespace: string; name: string } }[] }>,
  ]);
  const known = new Set(endpoints.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const own = pods.items.filter(({ spec, status }) => spec?.hostNetwork !== true && status?.phase === 'Running');
  expect(own.length).toBeGreaterThan(0);
  return own.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`).filter((name) => !known.has(name));
}

async function policyMode(field: Field): Promise<string | undefined> {
  return (await field.kube.makeApiClient(CoreV1Api).readNamespacedConfigMap({ namespace: 'kube-system', name: 'cilium-config' })).data?.['enable-policy'];
}

it.runIf(there)('chain: limits are accepted, pods restart owner by owner, the worker killed in the middle; no node goes, and every pod is known', async () => {
  const field = await up({ nodes: 3 });
  const nodes = await providerIds(field);
  const before = await clusterState(field);
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
  expect(after).toMatchObject({ groups: before.groups, workloads: before.workloads, addons: before.addons, agents: { awsNode: true, cilium: '3/3' }, labelled: 0, cordoned: 0, lease: null, guardsLedger: false, violations: [], killedPods: 0 });

  const again = await field.migrate(field.spec('c-1', { strategy: 'chain', chain: { acceptLimits: ['l7', 'ipsec', 'eni', 'host-routing', 'replace-later'] } }), 'c-1');
  expect(again.phases.find(({ phase }) => phase === 'restart')?.note).toBe('0 workloads restarted, 0 pods evicted');
  const other = await field.ciliate('preflight', '-f', field.spec('c-1'));
  expect(other).toMatchObject({ code: 1 });
  expect(other.out).toContain('other-datapath');
  const back = await field.ciliate('rollback', '-f', field.spec('c-1', { strategy: 'chain' }), '--plan');
  expect(back.out).toContain('rollback-chained');
});

it.runIf(there)('clean: refused where users have pods; with add-ons only aws-node goes first, the worker killed right after, and every node is replaced', async () => {
  const field = await up({ nodes: 3, workload: 'none' });
  const nodes = await providerIds(field);
  const core = field.kube.makeApiClient(CoreV1Api);
  const pod = { metadata: { name: 'mine', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } };
  await core.createNamespacedPod({ namespace: 'default', body: pod });
  const file = field.spec('new', { strategy: 'clean' });
  const refused = await field.ciliate('preflight', '-f', file);
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/user-workloads[\s\S]*Pod default\/mine/);
  await core.deleteNamespacedPod({ name: 'mine', namespace: 'default' });
  await expect.poll(async () => (await core.listNamespacedPod({ namespace: 'default' })).items.length, { timeout: 30_000 }).toBe(0);

  field.startWorker();
  expect((await field.ciliate('start', '-f', file)).code).toBe(0);
  await expect.poll(async () => (await clusterState(field)).agents.awsNode, { timeout: 120_000 }).toBe(false);
  await field.killWorker();
  field.startWorker();
  const report = await field.report('new');
  expect(report).toMatchObject({ state: 'done', problem: null, strategy: 'clean' });
  expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed', 'refreshed']);
  expect((await providerIds(field)).filter((id) => nodes.includes(id))).toEqual([]);
  expect(await unknownPods(field)).toEqual([]);
  expect(await policyMode(field)).toBe('default');
  const after = await clusterState(field);
  expect(after).toMatchObject({ agents: { awsNode: false, cilium: '3/3' }, labelled: 0, cordoned: 0, taints: [], lease: null, guardsLedger: false, orphans: [], killedPods: 0 });
  expect(after.addons).not.toContain('vpc-cni');
  // Its nodes keep the network of the pods that they have; none was given another CNI.
  expect(after.violations.filter((violation) => !violation.includes('aws-node-removed'))).toEqual([]);
});
