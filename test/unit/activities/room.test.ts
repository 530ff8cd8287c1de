import { ApiException } from '@kubernetes/client-node';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { prepareNode } from '../../../activities/kubernetes/prepareNode.js';
import { roomBlockers } from '../../../activities/kubernetes/room.js';
import { toCilium } from '../../../domain/directions/toCilium.js';
import { clientsOf, world } from '../drivers/world.js';

const ref = { name: 'ip-1', uid: 'uid-ip-1', instanceId: 'i-1', group: 'g', zone: 'z' };
const missing = () => Promise.reject(new ApiException(404, '', {}, {}));
const ready = (is: boolean) => ({ conditions: [{ type: 'Ready', status: is ? 'True' : 'False' }] });

const node = (name: string, over: { ready?: boolean; spec?: V1Node['spec']; labels?: Record<string, string>; uid?: string } = {}): V1Node => ({
  metadata: { name, uid: over.uid ?? `uid-${name}`, labels: over.labels ?? {} },
  spec: { providerID: `aws:///z/i-${name.slice(3)}`, ...over.spec },
  status: ready(over.ready ?? true),
});
const operator = (nodeName: string, over: { ready?: boolean; tolerations?: { key?: string; operator?: string; value?: string }[] } = {}): V1Pod => ({
  metadata: { namespace: 'kube-system', name: `operator-${nodeName}`, labels: { name: 'cilium-operator' } },
  spec: { containers: [], nodeName, tolerations: over.tolerations ?? [] },
  status: ready(over.ready ?? true),
});
const owned = (kind: string, owner: string, over: { nodeName?: string; ready?: boolean } = {}): V1Pod => ({
  metadata: { namespace: 'shop', name: `${owner}-x`, ownerReferences: [{ apiVersion: 'x', kind, name: owner, uid: `uid-${owner}`, controller: true }] },
  spec: { containers: [], nodeName: over.nodeName ?? ref.name },
  status: ready(over.ready ?? true),
});

interface Cluster {
  nodes?: V1Node[];
  operators?: V1Pod[];
  pods?: V1Pod[];
  /** Ready and wanted replicas of Deployment `cart`. */
  cart?: [number, number];
}

function clients({ nodes = [node('ip-1'), node('ip-2')], operators = [operator('ip-2')], pods = [], cart = [2, 2] }: Cluster): Clients {
  const core = {
    listNode: () => Promise.resolve({ items: nodes }),
    listNamespacedPod: ({ namespace }: { namespace: string }) => Promise.resolve({ items: namespace === 'kube-system' ? operators : pods.filter(({ metadata }) => metadata?.namespace === namespace) }),
    listPodForAllNamespaces: ({ fieldSelector }: { fieldSelector: string }) => Promise.resolve({ items: pods.filter(({ spec }) => fieldSelector === `spec.nodeName=${spec?.nodeName}`) }),
    readNode: ({ name }: { name: string }) => Promise.resolve(nodes.find(({ metadata }) => metadata?.name === name) ?? missing()),
  };
  const apps = {
    readNamespacedReplicaSet: ({ name }: { name: string }) => Promise.resolve({ metadata: { ownerReferences: [{ kind: 'Deployment', name: name.replace(/-\w+$/, ''), controller: true }] } }),
    readNamespacedDeployment: ({ name }: { name: string }) => (name === 'cart' ? Promise.resolve({ spec: { replicas: cart[1] }, status: { readyReplicas: cart[0] } }) : missing()),
  };
  return { ...clientsOf(world({ instances: { 'i-1': { state: 'running' } } })), kube: { core, apps } } as unknown as Clients;
}

async function lacks(cluster: Cluster, over: Partial<typeof ref> = {}): Promise<string[]> {
  const { blockers } = await roomBlockers(clients(cluster), { ...ref, ...over }, toCilium);
  return blockers.map(({ object, reason }) => `${object}: ${reason}`);
}

describe('room for a node to go', () => {
  const stranded = 'Deployment kube-system/cilium-operator: its only ready replica runs on ip-1, and no other node could take it';
  const here = [operator('ip-1')];
  const nodes = (spec: V1Node['spec'], over: { ready?: boolean } = {}): V1Node[] => [node('ip-1'), node('ip-2', { spec, ...over })];
  const tainted = { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] };

  it.each<[string, Cluster, string[]]>([
    ['an operator elsewhere', {}, []],
    ['no operator', { operators: [] }, ['Deployment kube-system/cilium-operator: no replica is ready']],
    ['an operator that is not ready', { operators: [operator('ip-2', { ready: false })] }, ['Deployment kube-system/cilium-operator: no replica is ready']],
    ['the only operator here, and a place for it', { operators: here }, []],
    ['the only operator here, and no other node', { operators: here, nodes: [node('ip-1')] }, [stranded]],
    ['the only operator here, and a node that is not ready', { operators: here, nodes: nodes({}, { ready: false }) }, [stranded]],
    ['the only operator here, and a node that is cordoned', { operators: here, nodes: nodes({ unschedulable: true }) }, [stranded]],
    ['the only operator here, and a node that it does not tolerate', { operators: here, nodes: nodes(tainted) }, [stranded]],
    ['the only operator here, and a node that it tolerates', { operators: [operator('ip-1', { tolerations: [{ key: 'dedicated', value: 'db' }] })], nodes: nodes(tainted) }, []],
    ['the only operator here, and a node that has one which is not ready', { operators: [...here, operator('ip-2', { ready: false })] }, [stranded]],
    ['a soft taint, and that of an agent that is not there yet', { operators: here, nodes: nodes({ taints: [{ key: 'x', effect: 'PreferNoSchedule' }, { key: 'node.cilium.io/agent-not-ready', effect: 'NoSchedule' }] }) }, []],
  ])('%s', async (_name, cluster, expected) => {
    expect(await lacks(cluster)).toEqual(expected);
  });

  const cartHere = [owned('ReplicaSet', 'cart-5c4d')];
  it.each<[string, Cluster, string[]]>([
    ['whole', { pods: cartHere, cart: [1, 1] }, []],
    ['short, with a ready replica elsewhere', { pods: cartHere, cart: [2, 3] }, []],
    ['short, its last ready replica here', { pods: cartHere, cart: [1, 3] }, ['Deployment shop/cart: 1 of 3 replicas are ready, all of them on this node']],
    ['down altogether', { pods: [owned('ReplicaSet', 'cart-5c4d', { ready: false })], cart: [0, 3] }, []],
    ['of an unknown kind, short, its last ready pod here', { pods: [owned('Cluster', 'pg'), owned('Cluster', 'pg', { nodeName: 'ip-2', ready: false })] }, ['Cluster shop/pg: 1 of 2 replicas are ready, all of them on this node']],
    ['of an unknown kind, whole', { pods: [owned('Cluster', 'pg'), owned('Cluster', 'pg', { nodeName: 'ip-2' })] }, []],
  ])('a workload that is %s', async (_name, cluster, expected) => {
    expect(await lacks(cluster)).toEqual(expected);
  });

  it('a node that nothing would replace is a person\'s', async () => {
    expect(await lacks({}, { group: '' })).toEqual(['Instance i-1: no Auto Scaling group and no NodeClaim owns it']);
  });
});

describe('a node that is one too many', () => {
  const target = { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' };
  it('and registered anew is let go of: it comes again as that', async () => {
    const seen = await prepareNode(clients({ nodes: [node('ip-1', { uid: 'another' })] }), { target, node: ref, surplus: true, known: '' });
    expect(seen).toMatchObject({ done: true, situation: { state: 'gone', why: 'instance i-1 registered anew as Node ip-1 with UID another, without the label cni-plugin' } });
  });
});
