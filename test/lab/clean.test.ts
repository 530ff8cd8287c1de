import { CoreV1Api } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { fieldsPerTest } from '../support/fields.js';
import { CHART_IS_THERE, policyMode, providerIds, unknownPods } from '../support/strategies.js';

const up = fieldsPerTest();

it.runIf(CHART_IS_THERE)('clean: refused where users have pods; with add-ons only aws-node goes first, the worker killed right after, and every node is replaced', async () => {
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
