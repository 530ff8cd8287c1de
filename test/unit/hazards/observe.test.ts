import { gzipSync } from 'node:zlib';
import type { V1Pod, V1PodDisruptionBudget, V1Secret } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients, KubeClients } from '../../../activities/clients/index.js';
import { hasAffinity } from '../../../activities/observe/awsNode.js';
import { newestRelease } from '../../../activities/observe/cilium.js';
import { sameServer } from '../../../activities/observe/eksCluster.js';
import { kubeletLabels } from '../../../activities/observe/groups.js';
import { observeNodes } from '../../../activities/observe/nodes.js';
import { agentsByNode, loadByNode, podHazards, seen } from '../../../activities/observe/pods.js';
import { observeWebhooks } from '../../../activities/observe/policies.js';
import { milliCpu, quantity } from '../../../activities/observe/quantity.js';
import { budgetOverlaps } from '../../../activities/observe/workloads.js';

describe('quantities', () => {
  it.each([['100m', 100], ['2', 2000], ['1930m', 1930], ['0.1', 100], [undefined, 0]])('%s: %d milli-CPUs', (text, expected) => expect(milliCpu(text)).toBe(expected));
  it.each([['1Gi', 2 ** 30], ['7220208Ki', 7220208 * 1024], ['128974848', 128974848], ['129e6', 129e6], ['nonsense', 0]])('%s: %d', (text, expected) => expect(quantity(text)).toBe(expected));
});

it('labels of the kubelet are read from user data', () => {
  expect(kubeletLabels("/etc/eks/bootstrap.sh c --kubelet-extra-args '--node-labels=a=b,cni-plugin=aws --register-with-taints=x=y:NoSchedule'")).toEqual({ a: 'b', 'cni-plugin': 'aws' });
  expect(kubeletLabels('kind: NodeConfig\nspec:\n  kubelet:\n    flags:\n    - "--node-labels=cni-plugin=aws"\n')).toEqual({ 'cni-plugin': 'aws' });
  expect(kubeletLabels('#!/bin/bash')).toEqual({});
});

it('the schema of the add-on is read through its $ref', () => {
  const schema = (properties: object): string => JSON.stringify({ $ref: '#/definitions/VpcCni', definitions: { VpcCni: { properties }, Affinity: {} } });
  expect(hasAffinity(schema({ affinity: { $ref: '#/definitions/Affinity' }, env: {} }))).toBe(true);
  expect(hasAffinity(schema({ env: {} }))).toBe(false);
  expect(hasAffinity('{"properties":{"affinity":{}}}')).toBe(true);
  expect(hasAffinity('not JSON')).toBeNull();
});

it('API servers are compared by host and port', () => {
  expect(sameServer('https://ABC.gr7.eu-west-1.eks.amazonaws.com', 'https://abc.gr7.eu-west-1.eks.amazonaws.com:443/')).toBe(true);
  expect(sameServer('https://127.0.0.1:6443', 'https://127.0.0.1:6444')).toBe(false);
});

describe('the Helm release', () => {
  const secret = (revision: number, status: string, description: string): V1Secret => ({
    metadata: { labels: { version: String(revision), status } },
    data: { release: Buffer.from(gzipSync(JSON.stringify({ info: { description }, chart: { metadata: { version: '1.20.0' } } })).toString('base64')).toString('base64') },
  });
  it('is the newest revision, by number', () => {
    expect(newestRelease([secret(9, 'superseded', 'ciliate:a'), secret(10, 'deployed', 'ciliate:b')], false)).toEqual({ chartVersion: '1.20.0', revision: 10, status: 'deployed', ours: true });
  });
  it('is ours by its description, or while it is unfinished by the ledger', () => {
    expect(newestRelease([secret(1, 'deployed', 'Install complete')], true)?.ours).toBe(false);
    expect(newestRelease([secret(1, 'pending-install', 'Initial install underway')], true)?.ours).toBe(true);
    expect(newestRelease([secret(1, 'failed', 'Release "cilium" failed')], false)?.ours).toBe(false);
  });
  it('is none where only its history is left, or nothing', () => {
    expect(newestRelease([secret(1, 'uninstalled', 'Uninstallation complete')], true)).toBeNull();
    expect(newestRelease([], true)).toBeNull();
  });
  it('that cannot be read is nobody\'s of ours', () => {
    expect(newestRelease([{ metadata: { labels: { version: '1', status: 'deployed' } }, data: { release: 'bm9uc2Vuc2U=' } }], true)?.ours).toBe(false);
  });
});

describe('pods', () => {
  const pod = (over: { name?: string; namespace?: string; node?: string; labels?: Record<string, string>; owner?: string; deleting?: boolean; mirror?: boolean } & NonNullable<V1Pod['spec']>): V1Pod => {
    const { name = 'p', namespace = 'shop', node = 'n1', labels, owner, deleting, mirror, ...spec } = over;
    return {
      metadata: {
        name,
        namespace,
        labels,
        ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'o', uid: 'u', controller: true }] }),
        ...(deleting === true ? { deletionTimestamp: new Date() } : {}),
        ...(mirror === true ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}),
      },
      spec: { ...spec, nodeName: node },
    };
  };
  const container = (over: object = {}) => ({ name: 'c', ...over });
  const agent = (app: string, over: object = {}) => pod({ namespace: 'kube-system', labels: { 'k8s-app': app }, owner: 'DaemonSet', containers: [container()], ...over });

  it('tell which agent a node runs; one that is going does not count', () => {
    const cni = (...some: V1Pod[]) => agentsByNode(some.map(seen)).get('n1');
    expect(cni(agent('aws-node'))).toBe('aws');
    expect(cni(agent('cilium'))).toBe('cilium');
    expect(cni(agent('aws-node'), agent('cilium'))).toBe('both');
    expect(cni(agent('aws-node', { deleting: true }), agent('cilium'))).toBe('cilium');
    expect(cni(agent('aws-node', { namespace: 'shop' }))).toBeUndefined();
  });

  it('are found by what makes them matter', () => {
    const some = [
      pod({ name: 'bare', containers: [container()] }),
      pod({ name: 'static', mirror: true, hostNetwork: true, containers: [container()] }),
      pod({ name: 'port', owner: 'ReplicaSet', containers: [container({ ports: [{ containerPort: 1, hostPort: 80 }] })] }),
      pod({ name: 'host', owner: 'ReplicaSet', hostNetwork: true, containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] }),
      pod({ name: 'scratch', owner: 'ReplicaSet', containers: [container()], volumes: [{ name: 'v', emptyDir: {} }] }),
      pod({ name: 'daemon', owner: 'DaemonSet', containers: [container()], volumes: [{ name: 'v', emptyDir: {} }] }),
      pod({ name: 'eni', owner: 'ReplicaSet', containers: [container({ resources: { limits: { 'vpc.amazonaws.com/pod-eni': '1' } } })] }),
      pod({ name: 'fargate', node: 'f1', containers: [container()] }),
    ].map(seen);
    const names = (list: { name: string }[]) => list.map(({ name }) => name);
    const found = podHazards(some, new Set(['f1']));
    expect({ bare: names(found.bare), hostPort: names(found.hostPort), emptyDir: names(found.emptyDir), podEni: names(found.podEni), total: found.total }).toEqual({
      bare: ['bare'],
      hostPort: ['port'],
      emptyDir: ['scratch'],
      podEni: ['eni'],
      total: 8,
    });
  });

  it('weigh on a node as far as they would move', () => {
    const ask = { resources: { requests: { cpu: '250m', memory: '1Gi' } } };
    const some = [pod({ owner: 'ReplicaSet', containers: [container(ask)] }), agent('aws-node', { containers: [container(ask)], hostNetwork: true })].map(seen);
    expect(loadByNode(some).get('n1')).toEqual({ pods: 2, addresses: 1, cpu: 250, memory: 2 ** 30 });
  });
});

describe('pods that more than one budget counts', () => {
  const pod = (name: string, labels: Record<string, string>, over: object = {}) => seen({ metadata: { namespace: 'shop', name, labels, ...over }, spec: { nodeName: 'n1', containers: [] } });
  const budget = (name: string, selector: object | undefined, namespace = 'shop'): V1PodDisruptionBudget => ({ metadata: { namespace, name }, spec: { selector } });
  const cart = { app: 'cart', tier: 'web' };
  const web = budget('web', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web'] }] });
  const ownedBy = (kind: string) => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'o', uid: 'u', controller: true }] });

  it('are named with their budgets, whatever way these select', () => {
    const budgets = [web, budget('cart', { matchLabels: { app: 'cart' } }), budget('all', {})];
    expect(budgetOverlaps([pod('cart-1', cart), pod('db-1', { app: 'db' })], budgets)).toEqual([{ namespace: 'shop', name: 'cart-1', node: 'n1', budgets: ['all', 'cart', 'web'] }]);
  });

  it('are none where a budget is of another namespace, or has no selector', () => {
    expect(budgetOverlaps([pod('cart-1', cart)], [web, budget('cart', { matchLabels: { app: 'cart' } }, 'other'), budget('none', undefined)])).toEqual([]);
  });

  it('are not those that no drain asks for: of DaemonSets, static ones', () => {
    const twice = [web, budget('all', {})];
    expect(budgetOverlaps([pod('a', cart, ownedBy('ReplicaSet'))], twice)).toHaveLength(1);
    expect(budgetOverlaps([pod('b', cart, ownedBy('DaemonSet')), pod('c', cart, { annotations: { 'kubernetes.io/config.mirror': 'x' } })], twice)).toEqual([]);
  });
});

describe('webhooks that fail closed', () => {
  const rule = (resource: string, operation: string) => [{ resources: [resource], operations: [operation] }];
  const at = (name: string) => ({ clientConfig: { service: { namespace: 'hooks', name } } });
  const ready = (pod: string, over: object = {}) => ({ conditions: { ready: true }, targetRef: { kind: 'Pod', namespace: 'hooks', name: pod, uid: `uid-${pod}` }, ...over });
  const slices: Record<string, object[]> = {
    // Two families, one pod.
    certificates: [{ endpoints: [ready('cm-6f7b9-x', {})] }, { endpoints: [ready('cm-6f7b9-x')] }],
    pods: [{ endpoints: [ready('daemon-1'), ready('daemon-2', { conditions: { ready: false } })] }],
    two: [{ endpoints: [ready('cm-6f7b9-x'), ready('daemon-1')] }],
    none: [],
  };
  const kube = {
    admission: {
      listMutatingWebhookConfiguration: () => Promise.resolve({ items: [{ webhooks: [{ name: 'pods.x', rules: rule('pods', 'CREATE'), ...at('pods') }, { name: 'open.x', failurePolicy: 'Ignore', ...at('pods') }] }] }),
      listValidatingWebhookConfiguration: () =>
        Promise.resolve({
          items: [
            {
              webhooks: [
                { name: 'cert.x', failurePolicy: 'Fail', rules: rule('certificates', '*'), ...at('certificates') },
                { name: 'two.x', rules: rule('*', '*'), ...at('two') },
                { name: 'none.x', rules: rule('pods', 'DELETE'), ...at('none') },
                { name: 'url.x', rules: rule('pods', 'CREATE'), clientConfig: { url: 'https://x' } },
              ],
            },
          ],
        }),
    },
    make: () => ({ listNamespacedEndpointSlice: ({ labelSelector }: { labelSelector: string }) => Promise.resolve({ items: slices[labelSelector.split('=')[1] ?? ''] }) }),
  } as unknown as KubeClients;
  const pod = (name: string, node: string, kind: string, labels: Record<string, string> = {}): V1Pod => ({
    metadata: { namespace: 'hooks', name, uid: `uid-${name}`, labels, ownerReferences: [{ apiVersion: 'apps/v1', kind, name: name.replace(/-[^-]*$/, ''), uid: 'o', controller: true }] },
    spec: { nodeName: node, containers: [] },
  });

  it('are seen whatever they are asked about, with the pod that is their last backend', async () => {
    const pods = [pod('cm-6f7b9-x', 'n1', 'ReplicaSet', { 'pod-template-hash': '6f7b9' }), pod('daemon-1', 'n2', 'DaemonSet'), pod('daemon-2', 'n3', 'DaemonSet')].map(seen);
    expect(await observeWebhooks(kube, pods)).toEqual([
      { name: 'pods.x', service: 'hooks/pods', guardsPods: true, readyEndpoints: 1, last: { namespace: 'hooks', name: 'daemon-1', node: 'n2', stays: true } },
      { name: 'cert.x', service: 'hooks/certificates', guardsPods: false, readyEndpoints: 1, last: { namespace: 'hooks', name: 'cm-6f7b9-x', node: 'n1', stays: false, deployment: 'cm' } },
      { name: 'two.x', service: 'hooks/two', guardsPods: true, readyEndpoints: 2 },
      { name: 'none.x', service: 'hooks/none', guardsPods: false, readyEndpoints: 0 },
      { name: 'url.x', guardsPods: true, readyEndpoints: null },
    ]);
  });
});

describe('nodes', () => {
  const clientsWith = (labels: Record<string, string>, claimed: string[]) =>
    ({
      kube: {
        core: { listNode: () => Promise.resolve({ items: [{ metadata: { name: 'n', uid: 'u', labels }, spec: { providerID: 'aws:///eu-west-1a/i-0a' } }] }) },
        custom: { listClusterCustomObject: ({ plural }: { plural: string }) => Promise.resolve({ items: plural === 'nodeclaims' ? claimed.map((id) => ({ metadata: { name: id }, status: { providerID: `aws:///eu-west-1a/${id}` } })) : [] }) },
      },
    }) as unknown as Clients;
  const ownerOf = async (labels: Record<string, string>, claimed: string[] = []) => {
    const [node] = await observeNodes(clientsWith(labels, claimed), []);
    return node?.leftOut ?? node?.group;
  };
  const compute = 'eks.amazonaws.com/compute-type';
  it.each([
    ['Fargate', { [compute]: 'fargate' }, 'fargate'],
    ['Windows', { 'kubernetes.io/os': 'windows' }, 'windows'],
    ['hybrid', { [compute]: 'hybrid' }, 'hybrid'],
    ['Auto Mode, which is Karpenter inside', { [compute]: 'auto', 'karpenter.sh/nodepool': 'general-purpose' }, 'auto-mode'],
    ['a NodePool, but without a NodeClaim', { 'karpenter.sh/nodepool': 'default' }, 'karpenter'],
    ['an old Provisioner', { 'karpenter.sh/provisioner-name': 'default' }, 'karpenter'],
  ])('of %s are left out', async (_of, labels, why) => expect(await ownerOf(labels)).toBe(why));
  it('of Karpenter are in its NodePool', async () => expect(await ownerOf({ 'karpenter.sh/nodepool': 'default' }, ['i-0a'])).toBe('karpenter/default'));
  it('of everybody else are in the group that AWS names', async () => expect(await ownerOf({})).toBeUndefined());
});
