import { describe, expect, it } from 'vitest';
import { admitNodes } from '../../../activities/kubernetes/admitNodes.js';
import { putGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { readPool } from '../../../activities/kubernetes/readPool.js';
import type { AdmitRequest } from '../../../activities/api.js';
import { toCilium } from '../../../domain/directions/toCilium.js';
import { startRamp } from '../../../domain/pool/ramp.js';
import { refreshSchema } from '../../../domain/spec/schema.js';
import { clientsOf, group, kubeNode, world } from '../drivers/world.js';
import type { World } from '../drivers/world.js';

const old = (id: string) => kubeNode(id, { labels: { 'cni-plugin': 'aws' } });
const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `i-${prefix}${index}`);
const agentOn = (id: string) => ({ metadata: { namespace: 'kube-system', name: `cilium-${id}`, labels: { 'k8s-app': 'cilium' } }, spec: { nodeName: `node-${id}`, containers: [] } });

/** Ledger and groups as after a surge: `sizes` are those of before. */
async function surged(seen: World, sizes: Record<string, number>): Promise<void> {
  seen.guards = {};
  const entries = seen.groups.map(({ AutoScalingGroupName: name = '', DesiredCapacity = 0 }) => ({ kind: 'asg-desired' as const, set: 'whole' as const, object: `ASG ${name}`, id: name, name, prior: String(sizes[name]), ours: String(DesiredCapacity), at: '2026-11-23T00:00:00Z' }));
  await putGuards(clientsOf(seen), entries.filter(({ prior, ours }) => prior !== ours));
}

const request = (over: Partial<AdmitRequest> & { refresh: AdmitRequest['refresh'] }): AdmitRequest => ({
  target: { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' }, ramp: startRamp(false), exclude: [], later: [], flights: [], known: '', ...over,
});

describe('groups of the pool', () => {
  it('are also those that only flights or the ledger know: their nodes are gone, and still wanted', async () => {
    const seen = world({ groups: [group('a', []), group('b', ids('b', 3)), group('c', [], { DesiredCapacity: 2 })], nodes: ids('b', 3).map(old) });
    await surged(seen, { a: 0, b: 3, c: 1 });
    const flights = [{ instanceId: 'i-a0', group: 'a', draining: false, decrement: false }];
    const { survey } = await readPool(clientsOf(seen), toCilium, flights);
    expect(survey.groups.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
  });

  it('hold back the others: no node starts for one whose Node is gone while it is in flight', async () => {
    const nodes = [...ids('b', 10).map(old), kubeNode('i-be')];
    const seen = world({ groups: [group('a', [], { DesiredCapacity: 1 }), group('b', [...ids('b', 10), 'i-be'], { DesiredCapacity: 15 })], nodes, pods: [agentOn('i-be')] });
    await surged(seen, { a: 1, b: 10 });
    const flights = [{ instanceId: 'i-a0', group: 'a', draining: false, decrement: false }];
    const refresh = refreshSchema.parse({ maxSurge: 5, maxUnavailable: 0 });
    await expect(admitNodes(clientsOf(seen), request({ refresh, flights }))).rejects.toMatchObject({ kind: 'NotYet', text: expect.stringContaining('at least 11 must stay') as string });
  });
});

describe('canaries of groups that share a surge', () => {
  const refresh = refreshSchema.parse({ maxSurge: '50%', maxUnavailable: 0 });
  /** a(1) and b(9) with their shares of five extra nodes, and as many old ones of b as are left. */
  const shared = async (oldOfB: number, proven: string[]) => {
    const [a, b, extra] = [ids('a', 1), ids('b', 9), ids('e', 5)];
    const nodes = [...[...a, ...b.slice(0, oldOfB)].map(old), ...[...b.slice(oldOfB), ...extra].map((id) => kubeNode(id))];
    const seen = world({ groups: [group('a', [...a, ...extra.slice(0, 1)]), group('b', [...b, ...extra.slice(1)])], nodes, pods: [...b.slice(oldOfB), ...extra].map(agentOn) });
    await surged(seen, { a: 1, b: 9 });
    return admitNodes(clientsOf(seen), request({ refresh, ramp: { ...startRamp(true), proven } }));
  };

  it('are due in the groups that may start: one that keeps its extra nodes for others has its canary late', async () => {
    expect(await shared(9, [])).toMatchObject({ groups: ['b'], start: [{ node: { group: 'b' } }] });
    expect(await shared(8, ['b'])).toMatchObject({ groups: ['b'], start: [{ node: { group: 'b' } }] });
    expect(await shared(4, ['b'])).toMatchObject({ groups: ['a', 'b'], start: [{ node: { group: 'a' }, decrement: true }] });
  });
});
