import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { labelVerdict } from '../../../activities/kubernetes/labelNodes.js';
import { nodesOfCilium } from '../../../activities/kubernetes/ciliumResources.js';
import { markCilium, unmarkCilium } from '../../../activities/kubernetes/markCilium.js';
import type { Agents } from '../../../activities/kubernetes/lists.js';
import { NOT_ON_AWS_NODES, offCiliumNodes, ON_CILIUM_NODES } from '../../../domain/cilium/placement.js';
import type { Affinity, NodeSelectorRequirement } from '../../../domain/kubernetes/nodeAffinity.js';

const idOf = (name: string): string => `i-${Buffer.from(name).toString('hex')}`;
const node = (name: string, labels: Record<string, string> = {}): V1Node => ({ metadata: { name, uid: `uid-${name}`, labels }, spec: { providerID: `aws:///z/${idOf(name)}` } });
const pod = (name: string, app: string): V1Pod => ({ metadata: { name: `${app}-${name}`, namespace: 'kube-system', labels: { 'k8s-app': app } }, spec: { nodeName: name, containers: [] } });
const daemonSet = (name: string, affinity: Affinity) => ({ metadata: { name }, spec: { selector: { matchLabels: { 'k8s-app': name } }, template: { spec: { containers: [], affinity } } } }) as unknown as NonNullable<Agents['cilium']>;
const required = (...matchExpressions: NodeSelectorRequirement[]): Affinity => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } });

/** Just enough of an API server. */
function world({ nodes, pods, ciliumNodes = [], cilium }: { nodes: V1Node[]; pods: V1Pod[]; ciliumNodes?: object[]; cilium?: Affinity }): { clients: Clients; patched: string[] } {
  const patched: string[] = [];
  const core = {
    listNode: ({ labelSelector }: { labelSelector?: string }) =>
      Promise.resolve({ items: nodes.filter(({ metadata }) => labelSelector === undefined || Object.entries(metadata?.labels ?? {}).some(([key, value]) => `${key}=${value}` === labelSelector)) }),
    listNamespacedPod: ({ labelSelector }: { labelSelector: string }) => Promise.resolve({ items: pods.filter(({ metadata }) => labelSelector === `k8s-app=${metadata?.labels?.['k8s-app']}`) }),
    patchNode: ({ name, body }: { name: string; body: { op: string; path: string; value: string }[] }) => {
      const labels = nodes.find(({ metadata }) => metadata?.name === name)?.metadata?.labels ?? {};
      const change = body.at(-1);
      if (change?.op === 'add') labels['ciliate.io/cni'] = change.value;
      else delete labels['ciliate.io/cni'];
      patched.push(`${change?.op} ${name}`);
      return Promise.resolve();
    },
  };
  const apps = { readNamespacedDaemonSet: ({ name }: { name: string }) => Promise.resolve(name === 'cilium' && cilium !== undefined ? daemonSet('cilium', cilium) : undefined) };
  const custom = { listClusterCustomObject: () => Promise.resolve({ items: ciliumNodes }) };
  return { clients: { kube: { core, apps, custom } } as unknown as Clients, patched };
}

describe('marking the nodes of Cilium', () => {
  it('goes by agents and by CiliumNodes of that very instance; never a node of aws-node', async () => {
    const { clients, patched } = world({
      nodes: [node('runs'), node('ran'), node('heir'), node('aws'), node('labelled', { 'cni-plugin': 'aws' }), node('empty'), node('marked', { 'ciliate.io/cni': 'cilium' })],
      pods: [pod('runs', 'cilium'), pod('aws', 'aws-node')],
      ciliumNodes: [
        { metadata: { name: 'ran' }, spec: { 'instance-id': idOf('ran') } },
        // Left behind by an instance whose name and address another one has now.
        { metadata: { name: 'heir' }, spec: { 'instance-id': idOf('before') } },
        { metadata: { name: 'aws' }, spec: { 'instance-id': idOf('aws') } },
        { metadata: { name: 'labelled' }, spec: { 'instance-id': idOf('labelled') } },
      ],
    });
    expect(await markCilium(clients)).toEqual({ marked: 2, already: 1 });
    expect(patched).toEqual(['add runs', 'add ran']);
    expect(await markCilium(clients)).toEqual({ marked: 0, already: 3 });
  });

  it("knows an older CiliumNode by its owner's UID", async () => {
    const { clients } = world({ nodes: [], pods: [], ciliumNodes: [{ metadata: { name: 'a', ownerReferences: [{ kind: 'Node', uid: 'uid-a' }] } }, { metadata: { name: 'b', ownerReferences: [{ kind: 'Node', uid: 'other' }] } }] });
    expect([...(await nodesOfCilium(clients, [node('a'), node('b')], { ciliumPods: new Map() }))]).toEqual(['a']);
  });

  it('refuses a value that is not ours', async () => {
    const { clients } = world({ nodes: [node('a', { 'ciliate.io/cni': 'calico' })], pods: [] });
    await expect(markCilium(clients)).rejects.toMatchObject({ kind: 'Permanent', code: 'ForeignLabel' });
  });

  it('is taken back only once Cilium does not need it any more: it would leave every node at once', async () => {
    const confined = world({ nodes: [node('a', { 'ciliate.io/cni': 'cilium' })], pods: [], cilium: required(ON_CILIUM_NODES, NOT_ON_AWS_NODES) });
    await expect(unmarkCilium(confined.clients)).rejects.toMatchObject({ kind: 'NeedsHuman', code: 'CiliumConfined' });
    expect(confined.patched).toEqual([]);
    const free = world({ nodes: [node('a', { 'ciliate.io/cni': 'cilium' }), node('b')], pods: [], cilium: required(NOT_ON_AWS_NODES) });
    expect(await unmarkCilium(free.clients)).toEqual({ unmarked: 1 });
  });
});

describe('a migration after a rollback that ended early', () => {
  const agents = (over: Partial<Agents> & { ofCilium?: Set<string> }) => ({
    awsNode: daemonSet('aws-node', offCiliumNodes(null)),
    cilium: daemonSet('cilium', required(ON_CILIUM_NODES, NOT_ON_AWS_NODES)),
    awsPods: new Map<string, V1Pod>(),
    ciliumPods: new Map<string, V1Pod>(),
    ...over,
  });

  it('labels a node that came up on aws-node', () => {
    expect(labelVerdict(node('a'), agents({ awsPods: new Map([['a', pod('a', 'aws-node')]]) }))).toBe('label');
  });

  it('never labels a node that lost its agent of Cilium', () => {
    expect(labelVerdict(node('a'), agents({ ofCilium: new Set(['a']) }))).toBe('on-cilium');
  });

  it('labels one that has neither: Cilium does not come to it any more', () => {
    expect(labelVerdict(node('a'), agents({}))).toBe('label');
  });

  it('waits for the agent of a marked one', () => {
    expect(labelVerdict(node('a', { 'ciliate.io/cni': 'cilium' }), agents({}))).toBe('await');
  });
});
