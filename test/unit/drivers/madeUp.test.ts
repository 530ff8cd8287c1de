import type { V1Node } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReplacementDriver } from '../../../activities/drivers/driver.js';
import { DRIVERS } from '../../../activities/drivers/index.js';
import { membershipsOf } from '../../../activities/drivers/memberships.js';
import { terminateNode } from '../../../activities/drivers/terminateNode.js';
import { admitNodes, resizeGroups } from '../../../activities/kubernetes/admitNodes.js';
import { lookTerminated } from '../../../activities/kubernetes/lookGone.js';
import { lookReplacement } from '../../../activities/kubernetes/lookReplacement.js';
import { readTermination } from '../../../activities/kubernetes/terminations.js';
import { observeNodes } from '../../../activities/observe/nodes.js';
import type { Clients } from '../../../activities/clients/index.js';
import type { ObservedNode } from '../../../domain/observation.js';
import { standing } from '../../../domain/plan/nodes.js';
import { plan } from '../../../domain/planner.js';
import { startRamp } from '../../../domain/pool/ramp.js';
import { refreshSchema } from '../../../domain/spec/schema.js';
import { cluster, manifest } from '../planner/cluster.js';
import { clientsOf, group, kubeNode, world } from './world.js';

const POOL = 'herd/sheep';
const HERD = 'herd.example/pool';
const ended: string[] = [];

/** All that a new kind is: its file would hold this, and index.ts its name. */
const herd: ReplacementDriver = {
  kind: 'herd',
  sized: false,
  title: (pool) => `Herd ${pool.slice('herd/'.length)}`,
  endText: ({ instanceId, group: pool }) => `instance ${instanceId} led out of ${pool}`,
  lingering: () => 'The shepherd is awaited.',
  places: (_clients, nodes) => Promise.resolve(new Map(nodes.flatMap((node) => (node.metadata?.labels?.[HERD] === undefined ? [] : [[idOf(node), { group: `herd/${node.metadata.labels[HERD]}`, zone: '' }] as const])))),
  marks: (labels) => labels['herd.example/stray'] !== undefined,
  owns: (_clients, pools) => Promise.resolve(pools.filter((pool) => pool.startsWith('herd/'))),
  instancesBefore: () => Promise.resolve(['i-1', 'i-2']),
  ending: (_clients, _request, going) => Promise.resolve({ ask: !going, decrement: false }),
  terminate: (_clients, { node }) => Promise.resolve(void ended.push(node.instanceId)),
  candidates: () => Promise.resolve({ instances: [], awaited: [{ object: 'Herd sheep', reason: 'has no new one yet', todo: 'Wait.' }] }),
};

// As its line in index.ts would.
beforeAll(() => void (DRIVERS as ReplacementDriver[]).unshift(herd));
afterAll(() => void (DRIVERS as ReplacementDriver[]).shift());

const idOf = (node: V1Node): string => node.spec?.providerID?.split('/').at(-1) ?? '';
const labels = { [HERD]: 'sheep', 'cni-plugin': 'aws', 'topology.kubernetes.io/zone': 'eu-west-1a' };
const target = { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' };
const ref = { name: 'node-i-1', uid: 'uid-i-1', instanceId: 'i-1', group: POOL, zone: 'eu-west-1a' };
/** Two nodes of the new kind beside one of an Auto Scaling group. */
const mixed = () => world({ groups: [group('own', ['i-3'])], nodes: [kubeNode('i-1', { labels }), kubeNode('i-2', { labels }), kubeNode('i-3', { labels: { 'cni-plugin': 'aws' } })], instances: { 'i-1': { state: 'running' }, 'i-3': { state: 'running' } }, guards: {} });

beforeEach(() => void (ended.length = 0));

describe('a kind that is one file and a line of the registry', () => {
  it('has its nodes in the pool: they are wanted, start within the limits, and are never raised', async () => {
    const seen = mixed();
    const clients = clientsOf(seen);
    const request = (refresh: object, exclude: string[] = []) => ({ target, refresh: refreshSchema.parse(refresh), ramp: startRamp(false), exclude, later: [], flights: [], known: '' });
    const first = await admitNodes(clients, request({ maxUnavailable: 2 }));
    expect(first).toMatchObject({ resize: false, remaining: 3, most: 2, groups: ['own', POOL] });
    expect(first.start.map(({ node, decrement }) => [node.name, node.group, decrement])).toEqual([['node-i-1', POOL, false], ['node-i-3', 'own', false]]);
    const surge = { maxSurge: 3, maxUnavailable: 0 };
    expect(await admitNodes(clients, request(surge, ['i-3']))).toMatchObject({ resize: false });
    // Of a surge only the group takes its part: one extra node for its one old one.
    expect(await admitNodes(clients, request(surge))).toMatchObject({ resize: true });
    await resizeGroups(clients, request(surge));
    expect(seen.calls.filter((call) => call.startsWith('desired'))).toEqual(['desired 2']);
  });

  it('is asked for the end of its node, once what the pool had is in the ledger', async () => {
    const clients = clientsOf(mixed());
    expect(await terminateNode(clients, { target, node: ref, decrement: true })).toEqual({ instancesBefore: ['i-1', 'i-2'], decremented: false });
    expect([ended, await readTermination(clients, ref)]).toEqual([['i-1'], { instancesBefore: ['i-1', 'i-2'], decremented: false }]);
  });

  it('says what is waited for', async () => {
    const clients = clientsOf(mixed());
    expect((await lookTerminated(clients, ref, '')).blockers).toMatchObject([{ object: 'Instance i-1', reason: 'is running', todo: 'The shepherd is awaited.' }]);
    expect((await lookReplacement(clients, { target, node: ref, instancesBefore: [], known: '' })).blockers).toMatchObject([{ object: 'Herd sheep', reason: 'has no new one yet' }]);
  });

  it('is placed in preflight, and in the plan with its own words', async () => {
    const nodes = await seenBy(clientsOf(world({ nodes: [kubeNode('i-1', { labels }), kubeNode('i-4', { labels: { 'herd.example/stray': 'yes' } })] })));
    expect(nodes.map(standing)).toMatchObject([{ as: 'refresh', ref: { group: POOL } }, { as: 'left-out', why: 'marked as a node of herd, but nothing of it is there that could be ended' }]);
    const { findings, steps } = plan(cluster({ nodes, groups: [] }), { manifest: manifest(), chart: { version: '1.20.0', sha256: '', source: '' }, values: { migration: {}, enforcement: {}, final: {} } });
    expect(findings.map(({ id }) => id)).not.toContain('node-unplaced');
    const writes = (id: string): string[] => steps.find((step) => step.id === id)?.writes ?? [];
    expect(writes('refresh')).toEqual(['Node node-i-1: cordoned, drained, instance i-1 led out of herd/sheep']);
    expect(writes('guard').filter((line) => line.startsWith('Auto Scaling'))).toEqual([]);
  });

  it('does not change who has the others', async () => {
    const seen = mixed();
    const clients = clientsOf(seen);
    expect([...(await membershipsOf(clients, seen.nodes))].map(([id, place]) => [id, place.group])).toEqual([['i-1', POOL], ['i-2', POOL], ['i-3', 'own']]);
    await terminateNode(clients, { target, node: { ...ref, instanceId: 'i-3', group: 'own' }, decrement: false });
    expect([ended, seen.calls]).toEqual([[], ['terminate i-3 false']]);
  });
});

/** As preflight sees them; on aws-node. */
async function seenBy(clients: Clients): Promise<ObservedNode[]> {
  return (await observeNodes(clients, [])).map((node) => ({ ...node, cni: 'aws' }));
}
