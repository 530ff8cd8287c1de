import { DescribeClusterCommand, EKSServiceException } from '@aws-sdk/client-eks';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { removeAwsNode } from '../../../activities/kubernetes/removeAwsNode.js';

const node = (name: string, labels: Record<string, string> = {}): V1Node => ({ metadata: { name, labels }, spec: { providerID: `aws:///z/i-${name}`, taints: [{ key: 'ciliate.io/no-cni', effect: 'NoSchedule' }] } });
const pod = (name: string, nodeName: string, over: V1Pod['metadata'] = {}): V1Pod => ({ metadata: { namespace: 'shop', name, ...over }, spec: { nodeName, containers: [] }, status: { phase: 'Running' } });

function clients(nodes: V1Node[], pods: V1Pod[], claimed: string[] = []): Clients {
  const none = () => Promise.resolve({ items: [] });
  const core = { listNode: () => Promise.resolve({ items: nodes }), listPodForAllNamespaces: () => Promise.resolve({ items: pods }), listNamespacedPod: none };
  const custom = { listClusterCustomObject: () => Promise.resolve({ items: claimed.map((id) => ({ metadata: { name: id }, status: { providerID: `aws:///z/${id}` } })) }) };
  const apps = { readNamespacedDaemonSet: () => Promise.resolve(undefined) };
  const eks = { send: (command: object) => (command instanceof DescribeClusterCommand ? Promise.resolve({ cluster: { name: 'c' } }) : Promise.reject(new EKSServiceException({ name: 'ResourceNotFoundException', $fault: 'client', $metadata: {} }))) };
  return { ref: { eks: { name: 'c', region: 'r' } }, kube: { core, custom, apps }, aws: { eks } } as unknown as Clients;
}

const clean = (of: Clients) => removeAwsNode(of, { addOns: [] });

describe('aws-node is not taken away from a cluster with user pods', () => {
  it('of its own nodes', async () => {
    await expect(clean(clients([node('a')], [pod('cart', 'a')]))).rejects.toMatchObject({ code: 'NotClean' });
    await expect(clean(clients([node('a')], [pod('waiting', '')]))).rejects.toMatchObject({ code: 'NotClean' });
    // Its nodes are Karpenter's, of the API that is driven.
    await expect(clean(clients([node('0a', { 'karpenter.sh/nodepool': 'p' })], [pod('cart', '0a')], ['i-0a']))).rejects.toMatchObject({ code: 'NotClean' });
  });

  it.each<[string, Record<string, string>]>([
    ['Fargate', { 'eks.amazonaws.com/compute-type': 'fargate' }],
    ['Windows', { 'kubernetes.io/os': 'windows' }],
    ['an older Karpenter', { 'karpenter.sh/provisioner-name': 'p' }],
  ])('but those on nodes that are left out do not count, as in preflight: %s', async (_, labels) => {
    expect(await clean(clients([node('a'), node('0b', labels)], [pod('cart', '0b')]))).toEqual({ removed: [] });
  });

  it('nor do static pods', async () => {
    expect(await clean(clients([node('a')], [pod('proxy', 'a', { annotations: { 'kubernetes.io/config.mirror': 'x' } })]))).toEqual({ removed: [] });
  });
});
