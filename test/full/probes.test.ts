import { BatchV1Api, CoreV1Api } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { migrationWorkflowId, nodeWorkflowId } from '../../domain/names.js';
import { fieldsPerTest } from '../support/fields.js';

const up = fieldsPerTest();

it('what a run that died for good left of its network probe is removed by release', async () => {
  const field = await up({ nodes: 2, jobsSucceed: false });
  const jobs = async () => (await field.kube.makeApiClient(BatchV1Api).listNamespacedJob({ namespace: 'kube-system', labelSelector: 'ciliate.io/probe' })).items;
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('dead', { probes: { network: {} } }))).code).toBe(0);
  const { inFlight } = await field.statusWhere('dead', (status) => status.inFlight.some(({ step }) => step === 'await-probes'), 180_000);
  // Nobody plays its programs: the attempt stays as it is.
  await expect.poll(async () => (await jobs()).length, { timeout: 60_000 }).toBe(4);
  await field.stopWorker();
  const client = await field.client();
  for (const id of [migrationWorkflowId('dead'), nodeWorkflowId('dead', inFlight[0]?.node.instanceId ?? '')]) await client.workflow.getHandle(id).terminate();
  const released = await field.ciliate('release', 'dead');
  expect(released.code, released.err).toBe(0);
  expect(released.out).toContain('Jobs of the network probe');
  expect(await jobs()).toEqual([]);
  await expect(field.kube.makeApiClient(CoreV1Api).readNamespacedConfigMap({ namespace: 'kube-system', name: 'ciliate-guards' })).rejects.toThrow(/404/);
});
