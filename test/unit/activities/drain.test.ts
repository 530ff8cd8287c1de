import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1VolumeAttachment } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { tellNode } from '../../../activities/kubernetes/drainEvent.js';
import { DrainMemory } from '../../../activities/kubernetes/drainMemory.js';
import { evictTiers } from '../../../activities/kubernetes/evictTiers.js';
import { lookDetached } from '../../../activities/kubernetes/volumes.js';
import { lastBackendBlocker, WebhookServices } from '../../../activities/kubernetes/webhookBackends.js';
import { TIERS } from '../../../domain/kubernetes/drain.js';
import { isLastBackend, lastBackendOf } from '../../../domain/kubernetes/lastBackend.js';
import { matchesSelector } from '../../../domain/kubernetes/labelSelector.js';
import { singletonVerdict } from '../../../domain/kubernetes/singleton.js';
import { drainSchema } from '../../../domain/spec/schema.js';

const ref = { name: 'ip-1', uid: 'node-uid', instanceId: 'i-1', group: 'g', zone: 'z' };
const target = { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' };
const now = Date.parse('2026-01-01T00:10:00Z');

describe('a label selector', () => {
  const labels = { app: 'cart', tier: 'web' };
  it.each([
    [undefined, false],
    [{}, true],
    [{ matchLabels: { app: 'cart' } }, true],
    [{ matchLabels: { app: 'cart', tier: 'db' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['cart', 'x'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['web'] }] }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  ])('%j: %s', (selector, expected) => expect(matchesSelector(selector, labels)).toBe(expected));
});

describe('the last backend', () => {
  const none = new Set<string>();
  it.each([
    ['alone', [{ podUid: 'a' }], none, true],
    ['beside another', [{ podUid: 'a' }, { podUid: 'b' }], none, false],
    ['beside one that is not ready', [{ podUid: 'a' }, { podUid: 'b', ready: false }], none, true],
    ['beside one that is going', [{ podUid: 'a' }, { podUid: 'b' }], new Set(['b']), true],
    ['beside one without a pod', [{ podUid: 'a' }, {}], none, false],
    ['not ready itself', [{ podUid: 'a', ready: false }], none, false],
    ['no backend at all', [{ podUid: 'b' }], none, false],
  ])('%s', (_name, backends, going, expected) => expect(isLastBackend(backends, 'a', going)).toBe(expected));

  it('is found before a drain by the same rule', () => {
    expect(lastBackendOf([{ podUid: 'a' }, { podUid: 'a' }, { podUid: 'b', ready: false }])).toBe('a');
    for (const several of [[], [{ podUid: 'a' }, { podUid: 'b' }], [{ podUid: 'a' }, {}], [{ podUid: 'a', ready: false }]]) expect(lastBackendOf(several)).toBeUndefined();
  });

  it('of a webhook that fails closed is named; one that fails open, or has a URL, is nobody\'s concern', async () => {
    const service = (name: string) => ({ service: { namespace: 'hooks', name } });
    const admission = {
      listMutatingWebhookConfiguration: () => Promise.resolve({ items: [{ webhooks: [{ name: 'open.x', failurePolicy: 'Ignore', clientConfig: service('open') }] }] }),
      listValidatingWebhookConfiguration: () => Promise.resolve({ items: [{ webhooks: [{ name: 'closed.x', failurePolicy: 'Fail', clientConfig: service('closed') }, { name: 'url.x', clientConfig: { url: 'https://x' } }] }] }),
    };
    const asked: string[] = [];
    const discovery = {
      listNamespacedEndpointSlice: ({ labelSelector }: { labelSelector: string }) => {
        asked.push(labelSelector);
        return Promise.resolve({ items: [{ endpoints: [{ conditions: { ready: true }, targetRef: { uid: 'a' } }] }] });
      },
    };
    const clients = { kube: { admission, make: () => discovery } } as unknown as Clients;
    const of = { services: new WebhookServices(clients), going: none };
    const pod = (namespace: string): V1Pod => ({ metadata: { namespace, name: 'hook-1', uid: 'a' } });
    expect((await lastBackendBlocker(clients, pod('hooks'), of))?.reason).toBe('it is the last ready backend of Service hooks/closed, which webhook closed.x needs: it fails closed');
    expect(await lastBackendBlocker(clients, pod('shop'), of)).toBeUndefined();
    expect(asked).toEqual(['kubernetes.io/service-name=closed']);
  });
});

describe('tiers', () => {
  const [ordinary, critical, operator] = [TIERS.ordinary, TIERS.critical, TIERS.operator];
  const pod = (name: string, { tier, going = false, kind = 'ReplicaSet' }: { tier: number; going?: boolean; kind?: string }): { pod: V1Pod; tier: number } => ({
    tier,
    pod: { metadata: { namespace: 'kube-system', name, uid: `uid-${name}`, labels: { app: name }, ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: `rs-${name}`, controller: true }], ...(going ? { deletionTimestamp: new Date() } : {}) } },
  });
  const ready = (name: string, nodeName: string): V1Pod => ({ metadata: { labels: { app: name } }, spec: { nodeName, containers: [] }, status: { conditions: [{ type: 'Ready', status: 'True' }] } });

  /** Names of the pods that were evicted, in order. */
  async function evicted(pods: { pod: V1Pod; tier: number }[], { twins = [], refused = [] }: { twins?: string[]; refused?: string[] } = {}): Promise<string[]> {
    const asked: string[] = [];
    const core = {
      createNamespacedPodEviction: ({ name }: { name: string }) => {
        asked.push(name);
        return refused.includes(name) ? Promise.reject(new ApiException(429, 'Too Many Requests', { message: "Cannot evict pod as it would violate the pod's disruption budget." }, {})) : Promise.resolve({});
      },
      listNamespacedPod: ({ labelSelector = '' }: { labelSelector?: string }) => {
        const name = labelSelector.slice('app='.length);
        return Promise.resolve({ items: [ready(name, ref.name), ...(twins.includes(name) ? [ready(name, 'ip-2')] : [])] });
      },
    };
    const apps = { readNamespacedReplicaSet: ({ name }: { name: string }) => Promise.resolve({ spec: { selector: { matchLabels: { app: name } } } }) };
    const means = { ref, drain: drainSchema.parse({}), memory: new DrainMemory([]), services: { of: () => Promise.resolve([]) } as unknown as WebhookServices };
    const pass = await evictTiers({ kube: { core, apps } } as unknown as Clients, pods, means);
    expect(pass.staying.map(({ metadata }) => metadata?.name)).toEqual(pods.filter(({ pod: { metadata } }) => metadata?.deletionTimestamp === undefined && (!asked.includes(metadata?.name ?? '') || refused.includes(metadata?.name ?? ''))).map(({ pod: { metadata } }) => metadata?.name));
    return asked;
  }

  it('later ones do not wait for the end of those before where a twin is ready elsewhere', async () => {
    const pods = [pod('cart', { tier: ordinary }), pod('dns', { tier: critical }), pod('operator', { tier: operator })];
    expect(await evicted(pods, { twins: ['dns', 'operator'] })).toEqual(['cart', 'dns', 'operator']);
    expect(await evicted(pods, { twins: ['operator'] })).toEqual(['cart']);
    expect(await evicted([pod('cart', { tier: ordinary, going: true }), pod('dns', { tier: critical })], { twins: ['dns'] })).toEqual(['dns']);
    expect(await evicted([pod('cart', { tier: ordinary, going: true }), pod('dns', { tier: critical })])).toEqual([]);
    expect(await evicted([pod('dns', { tier: critical }), pod('operator', { tier: operator, going: true })])).toEqual(['dns']);
  });

  it('later ones stay while one before may not go, twin or not', async () => {
    const pods = [pod('api', { tier: ordinary }), pod('cart', { tier: ordinary }), pod('dns', { tier: critical })];
    expect(await evicted(pods, { twins: ['dns'], refused: ['api'] })).toEqual(['api', 'cart']);
  });

  it('a pod that no ReplicaSet made has no twin', async () => {
    expect(await evicted([pod('cart', { tier: ordinary, going: true }), pod('etcd', { tier: critical, kind: 'StatefulSet' })], { twins: ['etcd'] })).toEqual([]);
  });
});

describe('a Deployment of one replica', () => {
  const alone = { replicas: 1, surgedByOthers: false, claims: false, readyElsewhere: 0 };
  it.each([
    ['is surged', alone, { act: 'surge' }],
    ['of two is none', { ...alone, replicas: 2 }, { act: 'evict' }],
    ['is left to its autoscaler', { ...alone, autoscaler: 'hpa' }, { act: 'evict', note: 'was not surged: HorizontalPodAutoscaler hpa decides on its replicas' }],
    ['with a volume claim is not surged', { ...alone, claims: true }, { act: 'evict', note: 'was not surged: its pod holds a volume claim' }],
    ['that another node surges is awaited', { ...alone, replicas: 2, surgedByOthers: true }, { act: 'wait', reason: 'the drain of another node has it scaled up just now' }],
    ['waits for its twin', { ...alone, replicas: 2, surgedAt: '2026-01-01T00:09:59Z' }, { act: 'wait', reason: 'it was scaled to 2, and the new replica is not Ready yet' }],
    ['goes once its twin is Ready elsewhere', { ...alone, replicas: 2, surgedAt: '2026-01-01T00:09:59Z', readyElsewhere: 1 }, { act: 'evict' }],
    ['whose entry was written and whose scale was not, is surged', { ...alone, surgedAt: '2026-01-01T00:09:59Z' }, { act: 'surge' }],
    ['that somebody keeps at one is not fought for', { ...alone, surgedAt: '2026-01-01T00:00:00Z' }, { act: 'evict', note: 'was not surged: somebody scales it back to 1' }],
  ])('%s', (_name, seen, expected) => expect(singletonVerdict(seen, now)).toEqual(expected));
});

describe('volumes', () => {
  const attachment = (name: string, nodeName = 'ip-1'): V1VolumeAttachment => ({ metadata: { name }, spec: { attacher: 'ebs', nodeName, source: { persistentVolumeName: `pv-${name}` } } });
  const pod = (claimName: string): V1Pod => ({ metadata: { namespace: 'shop', name: 'log-1' }, spec: { containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] } });
  const clientsOf = (attachments: V1VolumeAttachment[], pods: V1Pod[] = []): Clients => {
    const core = {
      listPodForAllNamespaces: () => Promise.resolve({ items: pods }),
      readNamespacedPersistentVolumeClaim: ({ name }: { name: string }) => Promise.resolve({ spec: { volumeName: `pv-${name}` } }),
    };
    return { kube: { core, make: () => ({ listVolumeAttachment: () => Promise.resolve({ items: attachments }) }) } } as unknown as Clients;
  };
  const request = { target, node: ref, known: '' };
  const since = new Date().toISOString();

  it('of other nodes, and of pods that stay, are not awaited', async () => {
    expect(await lookDetached(clientsOf([attachment('a', 'ip-2')]), { ...request, since })).toMatchObject({ done: true, notes: [] });
    expect(await lookDetached(clientsOf([attachment('logs')], [pod('logs')]), { ...request, since })).toMatchObject({ done: true, notes: [] });
  });

  it('that are attached are named; after six minutes it goes on and says so', async () => {
    const seen = await lookDetached(clientsOf([attachment('a')]), { ...request, since });
    expect(seen).toMatchObject({ done: false, blockers: [{ object: 'VolumeAttachment a (pv-a)', reason: 'is still attached to Node ip-1', since }] });
    const late = await lookDetached(clientsOf([attachment('a')]), { ...request, since: new Date(Date.now() - 361_000).toISOString() });
    expect(late).toMatchObject({ done: true, notes: ['VolumeAttachment a (pv-a) was still attached after 6 minutes; the instance was terminated with it'] });
  });
});

describe('an Event on the Node', () => {
  it('that cannot be written stops nothing', async () => {
    const clients = { kube: { core: { readNamespacedEvent: () => Promise.reject(new Error('forbidden')) } } } as unknown as Clients;
    const tell = () => tellNode(clients, ref, { type: 'Warning', reason: 'CiliateDrainBlocked', key: 'k', message: 'm' });
    await expect(new MockActivityEnvironment().run(tell)).resolves.toBeUndefined();
  });
});
