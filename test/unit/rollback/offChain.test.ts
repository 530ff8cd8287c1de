import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { forwardPhase } from '../../../activities/cilium/forward.js';
import type { Clients } from '../../../activities/clients/index.js';
import type { Release } from '../../../activities/helm/readRelease.js';
import { lookReturned } from '../../../activities/kubernetes/lookReturned.js';
import { markCilium } from '../../../activities/kubernetes/markCilium.js';
import { observeNode } from '../../../activities/kubernetes/observeNode.js';
import { standingsOf } from '../../../activities/kubernetes/standing.js';
import { NOT_ON_OTHER_COMPUTE, ON_CILIUM_NODES } from '../../../domain/cilium/placement.js';
import { directionOf } from '../../../domain/directions/index.js';
import { offChain } from '../../../domain/directions/offChain.js';
import { toAwsNode } from '../../../domain/directions/toAwsNode.js';
import type { NodeSelectorRequirement } from '../../../domain/kubernetes/nodeAffinity.js';

const MARK = { 'ciliate.io/cni': 'cilium' };
const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const node = (name: string, labels: Record<string, string> = {}): V1Node => ({ metadata: { name, uid: `uid-${name}`, labels }, spec: { providerID: `aws:///z/i-${name}` }, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
const pod = (on: string, app: string): V1Pod => ({ metadata: { name: `${app}-${on}`, namespace: 'kube-system', labels: { 'k8s-app': app } }, spec: { nodeName: on, containers: [] }, status: READY });
const ciliumNode = (name: string) => ({ metadata: { name, ownerReferences: [{ kind: 'Node', uid: `uid-${name}` }] } });

function daemonSet(name: string, ...matchExpressions: NodeSelectorRequirement[]): V1DaemonSet {
  const affinity = matchExpressions.length === 0 ? undefined : { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } };
  return { metadata: { name }, spec: { selector: { matchLabels: { 'k8s-app': name } }, template: { spec: { containers: [], affinity } } } } as unknown as V1DaemonSet;
}

interface World {
  nodes: V1Node[];
  pods: V1Pod[];
  ciliumNodes?: object[];
  /** Expressions of Cilium's affinity; absent: no DaemonSet of it. */
  cilium?: NodeSelectorRequirement[];
}

/** Just enough of an API server and of EC2. */
function world({ nodes, pods, ciliumNodes = [], cilium }: World): { clients: Clients; marked: string[] } {
  const marked: string[] = [];
  const core = {
    readNode: ({ name }: { name: string }) => Promise.resolve(nodes.find(({ metadata }) => metadata?.name === name)),
    listNode: ({ labelSelector }: { labelSelector?: string }) => Promise.resolve({ items: nodes.filter(({ metadata }) => labelSelector === undefined || Object.entries(metadata?.labels ?? {}).some(([key, value]) => `${key}=${value}` === labelSelector)) }),
    listNamespacedPod: ({ labelSelector, fieldSelector }: { labelSelector?: string; fieldSelector?: string }) =>
      Promise.resolve({ items: pods.filter(({ metadata, spec }) => (labelSelector === undefined || labelSelector === `k8s-app=${metadata?.labels?.['k8s-app']}`) && (fieldSelector === undefined || fieldSelector === `spec.nodeName=${spec?.nodeName}`)) }),
    patchNode: ({ name }: { name: string }) => {
      Object.assign(nodes.find(({ metadata }) => metadata?.name === name)?.metadata?.labels ?? {}, MARK);
      marked.push(name);
      return Promise.resolve();
    },
  };
  const apps = { readNamespacedDaemonSet: ({ name }: { name: string }) => Promise.resolve(name === 'aws-node' ? daemonSet(name) : name === 'cilium' && cilium !== undefined ? daemonSet(name, ...cilium) : undefined) };
  const custom = { listClusterCustomObject: () => Promise.resolve({ items: ciliumNodes }) };
  const ec2 = { send: () => Promise.resolve({ Reservations: [{ Instances: [{ State: { Name: 'running' } }] }] }) };
  return { clients: { kube: { core, apps, custom }, aws: { ec2 } } as unknown as Clients, marked };
}

const CHAINED = { nodes: [node('a', { ...MARK }), node('fresh')], pods: [pod('a', 'aws-node'), pod('a', 'cilium'), pod('fresh', 'aws-node')] };
const ref = { name: 'a', uid: 'uid-a', instanceId: 'i-a', group: 'workers', zone: 'z' };

describe('a node with both agents', () => {
  it('is what the run is to replace, where Cilium is chained; elsewhere hands off', async () => {
    const { clients } = world(CHAINED);
    expect(await observeNode(clients, ref, offChain)).toMatchObject({ state: 'present' });
    expect(await observeNode(clients, ref, toAwsNode)).toMatchObject({ state: 'hands-off' });
    const standing = async (direction: typeof offChain) => (await standingsOf(clients, direction, CHAINED)).of(CHAINED.nodes[0] as V1Node);
    expect([await standing(offChain), await standing(toAwsNode)]).toEqual(['old', 'stuck']);
    expect((await standingsOf(clients, offChain, CHAINED)).counts).toEqual({ aws: 1, cilium: 1, pending: 0 });
  });

  it('is marked, as one that has lost its agent is; one that never had any is not', async () => {
    const nodes = () => [node('both'), node('lost'), node('alone'), node('heir')];
    const pods = [pod('both', 'aws-node'), pod('both', 'cilium'), ...['lost', 'alone', 'heir'].map((name) => pod(name, 'aws-node'))];
    const ciliumNodes = [ciliumNode('both'), ciliumNode('lost'), { metadata: { name: 'heir', ownerReferences: [{ kind: 'Node', uid: 'uid-of-before' }] } }];
    const { clients, marked } = world({ nodes: nodes(), pods, ciliumNodes });
    expect(await markCilium(clients, offChain)).toEqual({ marked: 2, already: 0 });
    expect(marked).toEqual(['both', 'lost']);
    expect(await markCilium(clients, offChain)).toEqual({ marked: 0, already: 2 });
    expect(await markCilium(world({ nodes: nodes(), pods, ciliumNodes }).clients)).toEqual({ marked: 0, already: 0 });
  });

  it('keeps the way back from being proven, and so does one that has run Cilium', async () => {
    const seen = await lookReturned(world({ ...CHAINED, ciliumNodes: [ciliumNode('fresh')] }).clients, '');
    expect(seen.blockers.map(({ object }) => object)).toEqual(['Node a', 'Node fresh']);
    expect(await lookReturned(world({ nodes: [node('fresh')], pods: [pod('fresh', 'aws-node')] }).clients, '')).toMatchObject({ done: true });
  });
});

describe('the phase to apply', () => {
  const wanted = { wanted: 'migration', toward: 'aws-node', chained: true } as const;
  const release = (phase: string) => ({ status: 'deployed', description: `ciliate: c-1, ${phase}`, older: [] }) as unknown as Release;
  const old = { nodes: [node('a', MARK)], pods: [] };

  it('lets Cilium onto new nodes until it was confined, and never again', async () => {
    expect(await forwardPhase(world(old).clients, wanted, release('final'))).toBe('migration');
    expect(await forwardPhase(world(old).clients, wanted, release('rollback'))).toBe('rollback');
    // A helm that was cut off has not said so, but the DaemonSet tells.
    expect(await forwardPhase(world({ ...old, cilium: [ON_CILIUM_NODES, NOT_ON_OTHER_COMPUTE] }).clients, wanted, release('migration'))).toBe('rollback');
    expect(await forwardPhase(world({ ...old, cilium: [NOT_ON_OTHER_COMPUTE] }).clients, wanted, release('migration'))).toBe('migration');
  });

  it('goes by the marks where the release was taken away: nodes that are through get no agent again', async () => {
    expect(await forwardPhase(world(old).clients, wanted, null)).toBe('rollback');
    expect(await forwardPhase(world({ nodes: [node('a')], pods: [] }).clients, wanted, null)).toBe('migration');
  });

  it('opens again for a start', async () => {
    expect(await forwardPhase(world(old).clients, { wanted: 'migration' }, release('rollback'))).toBe('migration');
  });
});

it('only a way back is off a chain', () => {
  expect(directionOf({ toward: 'aws-node', chained: true })).toBe(offChain);
  expect(directionOf({ toward: 'aws-node' })).toBe(toAwsNode);
  expect(directionOf({ chained: true }).toward).toBe('cilium');
});
