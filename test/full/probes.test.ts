import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchV1Api, CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { afterEach, expect, it } from 'vitest';
import { migrationWorkflowId, nodeWorkflowId } from '../../domain/names.js';
import { fieldsPerTest } from '../support/fields.js';
import type { Field } from '../support/field.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();
const PART = 'ciliate.io/probe-part';
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A shop and a Prometheus, as the worker reaches them. */
async function serve(shop: () => number): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/v1/query') !== true) return void response.writeHead(shop()).end('shop');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [{ metric: { job: 'shop' }, value: [1, '1'] }] } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Plays the kubelet of pods that ask: they end with these words. Returns which pods it has seen, by part and node. */
function playKubelet(field: Field, words: (pod: V1Pod, attempt: number) => string): Map<string, string[]> {
  const core = field.kube.makeApiClient(CoreV1Api);
  const seen = new Map<string, string[]>();
  const pass = async (): Promise<void> => {
    const { items } = await core.listPodForAllNamespaces({ labelSelector: PART });
    for (const pod of items.filter(({ status }) => status?.phase === 'Running')) {
      const { name = '', namespace = '', labels = {}, uid = '' } = pod.metadata ?? {};
      const part = labels[PART] ?? '';
      const known = seen.get(part) ?? [];
      if (known.includes(uid)) continue;
      seen.set(part, [...known, uid]);
      if (part.startsWith('serve')) continue;
      const message = words(pod, known.length);
      const failed = message.includes('failed');
      const state = { terminated: { exitCode: failed ? 1 : 0, reason: failed ? 'Error' : 'Completed', message, finishedAt: new Date().toISOString() } };
      const status = { phase: failed ? 'Failed' : 'Succeeded', containerStatuses: [{ name: 'probe', image: 'busybox', imageID: 'busybox', ready: false, restartCount: 0, state }] };
      await core.patchNamespacedPodStatus({ name, namespace, body: { status } }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));
    }
  };
  const timer = setInterval(() => void pass().catch(() => undefined), 200);
  ends.push(() => clearInterval(timer));
  return seen;
}

it('a check that says no pauses the run at its canary until it says yes; pod traffic that fails is tried again; nothing is left', async () => {
  let shop = 503;
  const base = await serve(() => shop);
  const field = await up({ nodes: 3, jobsSucceed: false });
  let traffic = 'failed pods 0 of 65536 bytes';
  // The second node's pods get no answer at first; the last one has no old node to ask.
  const seen = playKubelet(field, (pod, attempt) => {
    const isOld = pod.metadata?.labels?.[PART] === 'ask-old';
    const hasPeer = pod.spec?.containers[0]?.env?.some(({ name, value }) => name === 'PEER' && /^10\./.test(value ?? ''));
    return [...(hasPeer ? [isOld && attempt > 0 ? traffic : 'ok pods'] : []), 'ok dns', 'ok api', 'ok egress=example.com:443'].join('\n');
  });
  field.startWorker();
  const probes = {
    http: [{ name: 'shop', url: `${base}/healthz`, timeLimitSeconds: 1 }],
    prometheus: [{ url: base, query: 'up{job="shop"}' }],
    network: { egress: ['example.com:443'], timeLimitSeconds: 1 },
  };
  const file = field.spec('probed', { probes });
  const plan = await field.ciliate('preflight', '-f', file);
  expect(plan.out).toContain('Probe http shop: expected a status from 200 to 299, saw status 503');
  expect((await field.ciliate('start', '-f', file)).code).toBe(0);

  const paused = await field.statusWhere('probed', ({ state }) => state === 'paused', 180_000);
  expect(paused.problem).toMatch(/a node failed as canary: .*Probe http shop: expected a status from 200 to 299, saw status 503/);
  expect(paused.inFlight.map(({ step }) => step)).toEqual(['await-probes']);
  shop = 200;

  const blocked = await field.statusWhere('probed', ({ blocked, nodes }) => nodes.done === 1 && blocked.length > 0, 180_000);
  expect(blocked.blocked.join()).toMatch(/Probe network: pod traffic old-to-new: expected 64 KiB from a pod on \S+ to a pod on \S+, saw 0 of 65536 bytes/);
  traffic = 'ok pods';

  const report = await field.report('probed');
  expect(report).toMatchObject({ state: 'done', problem: null });
  expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume ciliate']);
  expect(report.notes.join()).toMatch(/found no old node any more/);
  const counts = Object.fromEntries([...seen].map(([part, pods]) => [part, pods.length]));
  expect(counts['ask-new']).toBe((counts['ask-old'] ?? 0) + 1);
  expect(counts['serve-old']).toBe(counts['serve-new']);
  expect((await field.kube.makeApiClient(BatchV1Api).listJobForAllNamespaces({ labelSelector: 'ciliate.io/probe' })).items).toEqual([]);
  await expect.poll(async () => (await field.kube.makeApiClient(CoreV1Api).listPodForAllNamespaces({ labelSelector: PART })).items.length, { timeout: 30_000 }).toBe(0);
  await expectClean(field);
});

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
