import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { toCilium } from '../../../domain/directions/toCilium.js';
import type { V1Node } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { callOffLaunches } from '../../../activities/aws/callOffLaunches.js';
import { raised } from '../../../activities/aws/guards/sizes.js';
import { resumeLaunches, stoppedLaunches } from '../../../activities/aws/stopLaunches.js';
import { terminateNode } from '../../../activities/drivers/terminateNode.js';
import { guardsIn, putGuards, readGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { observeNode } from '../../../activities/kubernetes/observeNode.js';
import { moveSoftTaint } from '../../../activities/kubernetes/softTaint.js';
import type { Clients } from '../../../activities/clients/index.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import { SOFT_TAINT } from '../../../domain/names.js';
import { clientsOf, group, kubeNode, world } from '../drivers/world.js';

const entry = (ours: number): GuardEntry => ({ kind: 'asg-desired', set: 'whole', object: 'ASG g: DesiredCapacity', id: 'g', name: 'g', prior: '3', ours: String(ours), at: '2026-11-23T00:00:00Z' });
async function ledgerOf(seen: ReturnType<typeof world>): Promise<void> {
  seen.guards = {};
  await putGuards(clientsOf(seen), [entry(6)]);
}
const failed = [{ Description: 'Launching a new EC2 instance', StatusCode: 'Failed', StatusMessage: 'no capacity' }];

describe('launches of extra nodes', () => {
  const ids = ['i-1', 'i-2', 'i-3', 'i-4'];
  const lowered = ['suspend Launch', 'desired 4', 'resume Launch'];
  const managed = { Tags: [{ Key: 'eks:cluster-name', Value: 'c' }, { Key: 'eks:nodegroup-name', Value: 'ng' }] };
  const launching = (StatusCode: string, id = '') => ({ Description: `Launching a new EC2 instance${id === '' ? '' : `: ${id}`}`, StatusCode });
  const cases: [string, Parameters<typeof world>[0], Partial<AutoScalingGroup>, string[], number][] = [
    ['that failed are called off down to the instances that there are, with none launched meanwhile', { activities: failed }, { DesiredCapacity: 6 }, lowered, 1],
    ['that failed in a managed node group are called off in the group behind it: EKS would end nodes of its choice', { activities: failed }, { DesiredCapacity: 6, ...managed }, lowered, 1],
    ['that somebody suspended are called off, and stay suspended', {}, { DesiredCapacity: 6, SuspendedProcesses: [{ ProcessName: 'Launch' }] }, ['desired 4'], 1],
    ['that are under way are awaited', { activities: [launching('InProgress')] }, { DesiredCapacity: 6 }, [], 3],
    ['of which one is under way still are awaited', { activities: [...failed, launching('PreInService')] }, { DesiredCapacity: 6 }, [], 3],
    ['of which one is there and boots are called off without it', { activities: [...failed, launching('PreInService', 'i-4')] }, { DesiredCapacity: 6 }, lowered, 1],
    ['that came about stay', { activities: failed }, { DesiredCapacity: 4 }, [], 3],
  ];
  const callOff = async (seen: ReturnType<typeof world>): Promise<void> => {
    const clients = clientsOf(seen);
    await callOffLaunches(clients, { groups: seen.groups, ledger: await readGuards(clients) });
  };
  const left = (seen: ReturnType<typeof world>) => Object.values(guardsIn(seen.guards ?? {})).map(({ id }) => id);

  it.each(cases)('%s', async (_name, over, sizes, calls, added) => {
    const seen = world({ ...over, groups: [group('g', ids, sizes)] });
    await ledgerOf(seen);
    await callOff(seen);
    expect(seen.calls).toEqual(calls);
    expect(raised(guardsIn(seen.guards ?? {}), 'g')).toEqual({ prior: 3, added });
    expect(left(seen)).toEqual(['g']);
  });

  const others: [string, (seen: ReturnType<typeof world>) => void, string[], number][] = [
    ['one of them came about', (seen) => (seen.groups = [{ ...seen.groups[0], ...group('g', [...ids, 'i-5'], { DesiredCapacity: 6 }) }]), ['suspend Launch', 'desired 5', 'resume Launch'], 2],
    ['one of them began', (seen) => (seen.activities = [launching('InProgress'), ...failed]), ['suspend Launch', 'resume Launch'], 3],
    ['somebody lowered the group', (seen) => (seen.groups = [{ ...seen.groups[0], ...group('g', ids, { DesiredCapacity: 4 }) }]), ['suspend Launch', 'resume Launch'], 3],
  ];
  it.each(others)('are looked at again once no other can begin: %s meanwhile', async (_name, meanwhile, calls, added) => {
    const suspended = { SuspendedProcesses: [{ ProcessName: 'Launch' }] };
    const seen = world({ activities: failed, groups: [group('g', ids, { DesiredCapacity: 6 })] });
    seen.meanwhile = (call) => {
      if (call !== 'suspend Launch') return;
      meanwhile(seen);
      seen.groups = seen.groups.map((each) => ({ ...each, ...suspended }));
    };
    await ledgerOf(seen);
    await callOff(seen);
    expect(seen.calls).toEqual(calls);
    expect(raised(guardsIn(seen.guards ?? {}), 'g')).toEqual({ prior: 3, added });
    expect([left(seen), seen.groups[0]?.SuspendedProcesses]).toEqual([['g'], []]);
  });

  it('go on with the next look where a worker died in between: the ledger knows that they are stopped', async () => {
    const seen = world({ activities: failed, groups: [group('g', ids, { DesiredCapacity: 6 })] });
    await ledgerOf(seen);
    const stopped = new Error('the worker died');
    seen.meanwhile = (call) => {
      if (call === 'suspend Launch' || call === 'resume Launch') throw stopped;
    };
    await expect(callOff(seen)).rejects.toThrow(stopped);
    delete seen.meanwhile;
    const clients = clientsOf(seen);
    expect(stoppedLaunches(await readGuards(clients))).toMatchObject([{ set: 'changing', prior: null, ours: 'suspended' }]);
    seen.groups = seen.groups.map((each) => ({ ...each, SuspendedProcesses: [{ ProcessName: 'Launch' }] }));
    for (let times = 0; times < 2; times++) await resumeLaunches(clients);
    expect([left(seen), seen.calls.at(-1), seen.groups[0]?.SuspendedProcesses]).toEqual([['g'], 'resume Launch', []]);
  });
});

describe('an extra instance without a Node', () => {
  const ref = { name: 'i-4', uid: '', instanceId: 'i-4', group: 'g', zone: 'eu-west-1a' };
  const target = { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' };
  const account = () => world({ groups: [group('g', ['i-1', 'i-2', 'i-3', 'i-4'])], instances: { 'i-4': { state: 'running', group: 'g' } }, guards: {} });
  const without = (seen: ReturnType<typeof world>): Clients => {
    const clients = clientsOf(seen);
    Object.assign(clients.kube.core, { readNode: () => Promise.resolve(undefined) });
    return clients;
  };

  it('is terminated with decrement, and nothing is drained', async () => {
    const seen = account();
    const clients = without(seen);
    expect(await observeNode(clients, ref, toCilium)).toMatchObject({ state: 'node-gone' });
    expect(await terminateNode(clients, { target, node: ref, decrement: true })).toMatchObject({ decremented: true });
    expect(seen.calls).toEqual(['terminate i-4 true']);
  });

  it('is left alone once it has one, which may have pods: it comes again as that', async () => {
    const seen = account();
    seen.nodes = [kubeNode('i-4')];
    expect(await observeNode(without(seen), ref, toCilium)).toEqual({ state: 'gone', why: 'instance i-4 had no Node and has one now, node-i-4: it comes again as that' });
    await expect(terminateNode(without(seen), { target, node: ref, decrement: true })).rejects.toThrow(/expected it to have no Node, saw Node node-i-4/);
    expect(seen.calls).toEqual([]);
  });
});

describe('an instance whose kubelet registered anew', () => {
  const ref = { name: 'node-i-4', uid: 'before', instanceId: 'i-4', group: 'g', zone: 'eu-west-1a' };
  const target = { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' };
  const terminated = async (node: V1Node): Promise<{ calls: string[]; failure: unknown }> => {
    const seen = world({ groups: [group('g', ['i-1', 'i-4'])], instances: { 'i-4': { state: 'running', group: 'g' } }, guards: {}, nodes: [node] });
    const failure = await terminateNode(clientsOf(seen), { target, node: ref, decrement: false }).then(() => undefined, (error: unknown) => error);
    return { calls: seen.calls, failure };
  };

  it('is not terminated: the Node that it has now was not drained', async () => {
    expect(await terminated(kubeNode('i-4'))).toEqual({ calls: [], failure: expect.objectContaining({ kind: 'Permanent', code: 'RegisteredSince', message: expect.stringContaining('expected it to have no Node but the one that was drained (UID before), saw Node node-i-4 (UID uid-i-4)') as string }) as Error });
  });

  it('and does not say so yet is awaited', async () => {
    expect(await terminated({ ...kubeNode('i-4'), spec: {} })).toEqual({ calls: [], failure: expect.objectContaining({ kind: 'NotYet' }) as Error });
  });

  it('or has its Node still, or gave its name to another, is terminated', async () => {
    expect(await terminated({ ...kubeNode('i-4'), metadata: { name: 'node-i-4', uid: 'before' } })).toEqual({ calls: ['terminate i-4 false'], failure: undefined });
    expect(await terminated({ ...kubeNode('i-4'), spec: { providerID: 'aws:///eu-west-1a/i-9' } })).toEqual({ calls: ['terminate i-4 false'], failure: undefined });
  });
});

it('the soft taint goes over from the nodes that stay to those that leave', async () => {
  const taints: Record<string, string[]> = { 'node-i-1': [SOFT_TAINT], 'node-i-2': [] };
  const seen = world();
  const clients = clientsOf(seen);
  const sync = () => (seen.nodes = Object.entries(taints).map(([name, keys]) => ({ ...kubeNode(name.slice(5)), spec: { taints: keys.map((key) => ({ key, effect: 'PreferNoSchedule' })) } })));
  sync();
  let patches = 0;
  Object.assign(clients.kube.core, {
    patchNode: ({ name, body }: { name: string; body: { op: string; path: string; value?: { key: string }[] }[] }) => {
      const last = body.at(-1);
      taints[name] = last?.op === 'remove' ? [] : (last?.value ?? []).map(({ key }) => key);
      patches += 1;
      return Promise.resolve({});
    },
  });
  for (let times = 0; times < 2; times++) {
    await moveSoftTaint(clients, seen.nodes, new Set(['node-i-2']));
    sync();
  }
  expect(taints).toEqual({ 'node-i-1': [], 'node-i-2': [SOFT_TAINT] });
  expect(patches).toBe(2);
});
