import { AppsV1Api, CoreV1Api, KubernetesObjectApi, StorageV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MigrationStatus } from '../../domain/status.js';
import { clusterState } from '../support/clusterState.js';
import { Field } from '../support/field.js';
import { eventually } from '../support/poll.js';

const template = (app: string) => ({ metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } });
const workload = (kind: 'Deployment' | 'StatefulSet', app: string) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: app, namespace: 'shop' },
  spec: { replicas: 1, selector: { matchLabels: { app } }, template: template(app), ...(kind === 'StatefulSet' ? { serviceName: app } : {}) },
});
const OBJECTS = [
  // Nothing lets it go but a person.
  workload('StatefulSet', 'stuck'),
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'stuck', namespace: 'shop' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'stuck' } } } },
  // Would go down without a surge.
  workload('Deployment', 'solo'),
  // The only backend of a webhook that fails closed (on something that nobody creates).
  workload('StatefulSet', 'hook'),
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'hook', namespace: 'shop' }, spec: { selector: { app: 'hook' }, ports: [{ port: 443 }] } },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.example.com',
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { namespace: 'shop', name: 'hook' } },
        rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['widgets'], operations: ['CREATE'] }],
      },
    ],
  },
];

let field: Field;
let apps: AppsV1Api;
let core: CoreV1Api;

describe('drains that explain themselves', () => {
  /** Ready pods of `solo` over the whole run: the fewest that were seen, and the most replicas that were wanted. */
  const solo = { fewest: Infinity, most: 0 };
  let watching: NodeJS.Timeout;
  let forced: MigrationStatus;
  const nodeOf = async (pod: string): Promise<string> => (await core.readNamespacedPod({ namespace: 'shop', name: pod })).spec?.nodeName ?? '';

  beforeAll(async () => {
    field = await Field.up({ nodes: 3 });
    apps = field.kube.makeApiClient(AppsV1Api);
    core = field.kube.makeApiClient(CoreV1Api);
    const objects = KubernetesObjectApi.makeApiClient(field.kube);
    for (const object of OBJECTS) await objects.create(object);
    await vi.waitUntil(async () => {
      const [stuck, hook, one] = await Promise.all([
        apps.readNamespacedStatefulSet({ namespace: 'shop', name: 'stuck' }),
        apps.readNamespacedStatefulSet({ namespace: 'shop', name: 'hook' }),
        apps.readNamespacedDeployment({ namespace: 'shop', name: 'solo' }),
      ]);
      return [stuck, hook, one].every(({ status }) => status?.readyReplicas === 1);
    }, { timeout: 60_000 });
    watching = setInterval(() => {
      void apps.readNamespacedDeployment({ namespace: 'shop', name: 'solo' }).then(({ spec, status }) => {
        solo.fewest = Math.min(solo.fewest, status?.readyReplicas ?? 0);
        solo.most = Math.max(solo.most, spec?.replicas ?? 0);
      });
    }, 50);
    field.startWorker();
  });
  afterAll(async () => {
    clearInterval(watching);
    await field.down();
  });

  it('preflight names what cannot be drained', async () => {
    const { out } = await field.ciliate('preflight', '-f', field.spec('drains', { drain: { surgeSingletons: true } }));
    expect(out).toContain('shop/stuck (minAvailable: 1, needs 1 of 1)');
    expect(out).toMatch(/singleton-down/);
    expect(out).toMatch(/StatefulSet shop\/hook/);
    expect(out).not.toMatch(/Deployment shop\/solo/);
  });

  it('past its limit a drain opens the gate force of its node, which shows pod, owner and budget', async () => {
    // Deleted from the last old node it can only come up on a new one: it blocks once.
    const order = { last: [await nodeOf('stuck-0')] };
    const file = field.spec('drains', { refresh: { order }, drain: { timeLimitSeconds: 8, onTimeout: 'force', surgeSingletons: true } });
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
    forced = await field.statusWhere('drains', ({ forces }) => forces.some(({ pods }) => pods.some(({ name }) => /^(stuck|hook)-0$/.test(name))), 240_000);
    const shown = await field.ciliate('status', 'drains');
    expect(shown.out).toMatch(/GATE force of ip-/);
    expect(shown.out).toMatch(/ciliate approve drains force --node ip-\S+ --pod shop\/(stuck|hook)-0/);
  });

  it('writes a Warning on the Node: once, with the pods that block', async () => {
    const [force] = forced.forces;
    await eventually(async () => {
      const { items } = await core.listNamespacedEvent({ namespace: 'default', fieldSelector: `involvedObject.uid=${force?.node.uid}` });
      const blocked = items.filter(({ reason }) => reason === 'CiliateDrainBlocked');
      expect(blocked.length).toBeGreaterThan(0);
      expect(blocked.at(-1)).toMatchObject({ type: 'Warning', involvedObject: { kind: 'Node', name: force?.node.name } });
      expect(blocked.map(({ message }) => message).join()).toMatch(/Pod shop\/(stuck|hook)-0: .*since 20/);
    });
  });

  it('keeps the last backend of a fail-closed webhook until another is ready elsewhere', async () => {
    const blocked = await field.statusWhere('drains', ({ forces }) => forces.some(({ pods }) => pods.some(({ name }) => name === 'stuck-0' || name === 'hook-0')), 240_000);
    await endNext(blocked);
  });

  it('deletes exactly the pods that were approved; volumes are awaited; the rest goes on', async () => {
    const next = await field.statusWhere('drains', ({ forces, state }) => state !== 'running' || (forces.length > 0 && forces.some(({ pods }) => pods.some(({ uid }) => !seen.has(uid)))), 240_000);
    if (next.state === 'running') await endNext(next);
    const report = await field.report('drains');
    expect(report).toMatchObject({ state: 'done', problem: null });
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed', 'refreshed']);
    expect(report.audit.filter(({ verb }) => verb === 'approve').map(({ pods }) => pods)).toEqual([['shop/stuck-0']]);
    expect(report.nodes.some(({ seconds }) => (seconds['await-volumes'] ?? 0) > 0)).toBe(true);
  });

  it('surges a singleton: it never went down, and has its one replica back', async () => {
    expect(solo).toEqual({ fewest: 1, most: 2 });
    expect((await apps.readNamespacedDeployment({ namespace: 'shop', name: 'solo' })).spec?.replicas).toBe(1);
    expect(await clusterState(field)).toMatchObject({ cordoned: 0, lease: null, guardsLedger: false, orphans: [], violations: [], killedPods: 0 });
  });

  const seen = new Set<string>();

  /** Frees whatever of the two blocks: `stuck` by an approval, `hook` by a second backend. */
  async function endNext(status: MigrationStatus): Promise<void> {
    const pods = status.forces.flatMap(({ pods: all }) => all);
    for (const { uid } of pods) seen.add(uid);
    const node = status.forces[0]?.node.name ?? '';
    if (pods.some(({ name }) => name === 'hook-0')) {
      expect(pods.find(({ name }) => name === 'hook-0')?.reason).toContain('last ready backend of Service shop/hook');
      const patch = [{ op: 'replace', path: '/spec/replicas', value: 2 }];
      await apps.patchNamespacedStatefulSetScale({ namespace: 'shop', name: 'hook', body: patch });
      await vi.waitUntil(async () => (await nodeOf('hook-0').catch(() => node)) !== node, { timeout: 60_000 });
    }
    if (pods.some(({ name }) => name === 'stuck-0')) {
      expect(pods.find(({ name }) => name === 'stuck-0')).toMatchObject({ owner: 'StatefulSet stuck', budget: 'shop/stuck' });
      const storage = field.kube.makeApiClient(StorageV1Api);
      const attachment = { metadata: { name: 'csi-test' }, spec: { attacher: 'ebs.csi.aws.com', nodeName: node, source: { persistentVolumeName: 'pv-test' } } };
      await storage.createVolumeAttachment({ body: attachment });
      const approve = (...args: string[]) => field.ciliate('approve', 'drains', 'force', '--node', node, '--reason', 'test', ...args);
      const wrong = await approve('--pod', 'shop/other-0');
      expect(wrong).toMatchObject({ code: 1 });
      expect(wrong.err).toContain('shop/stuck-0');
      expect((await approve()).err).toContain('--pod shop/stuck-0');
      expect((await approve('--pod', 'shop/stuck-0')).code).toBe(0);
      const waiting = await field.statusWhere('drains', ({ inFlight }) => inFlight.some(({ step }) => step === 'await-volumes'));
      expect(waiting.inFlight[0]?.blockers[0]?.object ?? 'VolumeAttachment csi-test').toContain('VolumeAttachment csi-test');
      await storage.deleteVolumeAttachment({ name: 'csi-test' });
    }
  }
});
