import { describe, expect, it } from 'vitest';
import { raised } from '../../../activities/aws/guards/sizes.js';
import { putGuards, readGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { releaseNode } from '../../../activities/kubernetes/cordonNode.js';
import { readTermination, recordTermination } from '../../../activities/kubernetes/terminations.js';
import { driverOf, placesOf } from '../../../activities/drivers/find.js';
import { membershipsOf } from '../../../activities/drivers/memberships.js';
import { terminateNode } from '../../../activities/drivers/terminateNode.js';
import type { NodeRef } from '../../../domain/plan.js';
import { claim, clientsOf, group, kubeNode, withLifecycle, world } from './world.js';
import type { World } from './world.js';

const ref = (id: string, pool: string): NodeRef => ({ name: `node-${id}`, uid: `uid-${id}`, instanceId: id, group: pool, zone: 'eu-west-1a' });
const request = (node: NodeRef, decrement = false) => ({ target: { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' }, node, decrement });
const managed = { Tags: [{ Key: 'eks:cluster-name', Value: 'c' }, { Key: 'eks:nodegroup-name', Value: 'ng' }] };
const candidatesOf = async (seen: World, node: NodeRef, before: string[] = []) => {
  const clients = clientsOf(seen);
  return (await driverOf(clients, node)).candidates(clients, node, [...before, node.instanceId]);
};

describe('the driver of a node', () => {
  const seen = world({ groups: [group('own', ['i-1']), group('eks-ng', ['i-2'], managed)], claims: [claim('i-3')], instances: { 'i-5': { state: 'shutting-down', group: 'own' } } });
  it.each([['own', 'auto-scaling-group'], ['eks-ng', 'managed-node-group'], ['karpenter/default', 'karpenter']])('of %s is %s', async (pool, kind) => {
    expect((await driverOf(clientsOf(seen), ref('i-1', pool))).kind).toBe(kind);
  });
  it('of a node that nothing would replace is a person', async () => {
    await expect(driverOf(clientsOf(seen), ref('i-9', ''))).rejects.toMatchObject({ kind: 'NeedsHuman', code: 'NoDriver' });
  });
  it('is found for each node by itself, in one cluster', async () => {
    const karpenters = { labels: { 'karpenter.sh/nodepool': 'default' } };
    const places = await placesOf(clientsOf(seen), [kubeNode('i-1'), kubeNode('i-2'), kubeNode('i-3', karpenters), kubeNode('i-4', karpenters), kubeNode('i-5')]);
    expect([...places].map(([id, place]) => [id, place.group])).toEqual([['i-3', 'karpenter/default'], ['i-1', 'own'], ['i-2', 'eks-ng'], ['i-5', 'own']]);
  });
});

describe('pools of nodes', () => {
  it('are asked for once a node', async () => {
    const seen = world({ groups: [group('own', ['i-1'])], claims: [claim('i-3')] });
    const clients = clientsOf(seen);
    const nodes = [kubeNode('i-1'), kubeNode('i-3', { labels: { 'karpenter.sh/nodepool': 'default' } })];
    const pools = async () => [...(await membershipsOf(clients, nodes))].map(([id, place]) => [id, place.group]);
    const first = await pools();
    Object.assign(seen, { groups: [], claims: [] });
    expect([first, await pools()]).toEqual([[['i-3', 'karpenter/default'], ['i-1', 'own']], [['i-3', 'karpenter/default'], ['i-1', 'own']]]);
  });
});

describe('an Auto Scaling group', () => {
  it('says why its last launch failed', async () => {
    const seen = world({ groups: [group('own', ['i-1'], { DesiredCapacity: 2 })], activities: [{ Description: 'Launching a new EC2 instance', StatusCode: 'Failed', StatusMessage: 'Insufficient capacity' }] });
    expect((await candidatesOf(seen, ref('i-1', 'own'))).awaited[0]?.reason).toBe('could not launch a new instance: Insufficient capacity');
  });
  it('whose failed launch was followed by a good one has not failed', async () => {
    const seen = world({ groups: [group('own', ['i-1'])], activities: [{ Description: 'Launching a', StatusCode: 'Successful' }, { Description: 'Launching b', StatusCode: 'Failed' }] });
    expect((await candidatesOf(seen, ref('i-1', 'own'))).awaited[0]?.reason).toBe('has launched no new instance yet');
  });
  it('that may not launch says so', async () => {
    const seen = world({ groups: [group('own', ['i-1'], { SuspendedProcesses: [{ ProcessName: 'Launch' }] })] });
    expect((await candidatesOf(seen, ref('i-1', 'own'))).awaited[0]?.reason).toContain('process Launch is suspended');
  });
  it('replaces by an instance that was not there before and lives', async () => {
    const seen = world({ groups: [group('own', ['i-2', 'i-3', 'i-4'])], instances: { 'i-3': { state: 'pending' }, 'i-4': { state: 'terminated' } } });
    expect((await candidatesOf(seen, ref('i-1', 'own'), ['i-2'])).instances.map(({ InstanceId }) => InstanceId)).toEqual(['i-3']);
  });
});

describe('a termination', () => {
  it('is not asked for where the instance is going; younger instances may replace it', async () => {
    const seen = world({
      groups: [group('own', ['i-2', 'i-3'])],
      guards: {},
      instances: {
        'i-1': { state: 'shutting-down', ended: 'User initiated (2026-11-22 23:00:00 GMT)' },
        'i-2': { state: 'running', launched: new Date('2026-11-01T00:00:00Z') },
        'i-3': { state: 'running', launched: new Date('2026-11-22T23:00:05Z') },
      },
    });
    expect(await terminateNode(clientsOf(seen), request(ref('i-1', 'own')))).toEqual({ instancesBefore: ['i-2'], decremented: false });
    expect(seen.calls).toEqual([]);
  });
  it('asked for before is asked for again with what was there then', async () => {
    const seen = world({
      groups: [group('own', ['i-1', 'i-2', 'i-3'])],
      instances: { 'i-1': { state: 'running' } },
    });
    await recordTermination(clientsOf(seen), ref('i-1', 'own'), { instancesBefore: ['i-1', 'i-2'], decremented: false });
    expect(await terminateNode(clientsOf(seen), request(ref('i-1', 'own')))).toEqual({ instancesBefore: ['i-1', 'i-2'], decremented: false });
    expect(seen.calls).toEqual(['terminate i-1 false']);
  });
  it('decrements by the sizes of this moment where our surge raised the group, and writes it down before the call', async () => {
    const entry = { kind: 'asg-desired' as const, set: 'whole' as const, object: 'o', id: 'own', name: 'own', prior: '2', ours: '3', at: '2026-11-23T00:00:00Z' };
    const instances = { 'i-1': { state: 'running' } };
    const above = world({ groups: [group('own', ['i-1', 'i-2', 'i-3'], { MinSize: 1 })], guards: {}, instances });
    await putGuards(clientsOf(above), [entry]);
    const added = async (seen: World) => raised(await readGuards(clientsOf(seen)), 'own')?.added;
    const decided = { instancesBefore: ['i-1', 'i-2', 'i-3'], decremented: true };
    expect(await terminateNode(clientsOf(above), request(ref('i-1', 'own'), true))).toEqual(decided);
    expect(await readTermination(clientsOf(above), ref('i-1', 'own'))).toEqual(decided);
    // Asked for again before it goes: it is taken back once.
    await terminateNode(clientsOf({ ...above, calls: [] }), request(ref('i-1', 'own'), true));
    expect(await added(above)).toBe(0);
    // A crash before the call, and an autoscaler took one meanwhile: the group is at its size again, so it is replaced.
    const after = world({ ...above, groups: [group('own', ['i-1', 'i-2'], { MinSize: 1 })], calls: [] });
    expect(await terminateNode(clientsOf(after), request(ref('i-1', 'own'), true))).toEqual({ ...decided, decremented: false });
    expect(await added(after)).toBe(1);
    expect([...above.calls, ...after.calls]).toEqual(['terminate i-1 true', 'terminate i-1 false']);
  });
  describe.each(['Terminating', 'Terminating:Wait', 'Terminating:Proceed'] as const)('whose answer was lost, while hooks hold the instance in %s and EC2 says running', (lifecycle) => {
    const node = ref('i-1', 'own');
    const going = withLifecycle(group('own', ['i-1', 'i-2', 'i-3'], { MinSize: 1, DesiredCapacity: 2 }), 'i-1', lifecycle);
    const asked = () => world({ groups: [going], guards: {}, instances: { 'i-1': { state: 'running' }, 'i-2': { state: 'running' }, 'i-3': { state: 'running' } } });

    it.each([true, false])('stays as it was decided (decrement: %s), is not asked for again, and is counted once', async (decremented) => {
      const seen = asked();
      const clients = clientsOf(seen);
      await putGuards(clients, [{ kind: 'asg-desired', set: 'whole', object: 'o', id: 'own', name: 'own', prior: '2', ours: '3', at: '2026-11-23T00:00:00Z' }]);
      await recordTermination(clients, node, { instancesBefore: ['i-1', 'i-2'], decremented });
      for (let times = 0; times < 2; times++) expect(await terminateNode(clients, request(node, decremented))).toEqual({ instancesBefore: ['i-1', 'i-2'], decremented });
      expect(raised(await readGuards(clients), 'own')?.added).toBe(decremented ? 0 : 1);
      expect(seen.calls).toEqual([]);
    });
    it('shrinks a group without a surge no second time', async () => {
      const seen = asked();
      await recordTermination(clientsOf(seen), node, { instancesBefore: ['i-1', 'i-2', 'i-3'], decremented: true });
      expect(await terminateNode(clientsOf(seen), request(node, true))).toEqual({ instancesBefore: ['i-1', 'i-2', 'i-3'], decremented: true });
      expect(seen.calls).toEqual([]);
    });
    it('has what came since it was cordoned for its replacement, where somebody else began it', async () => {
      const launched = new Date('2026-11-23T00:01:00Z');
      const seen = asked();
      seen.instances['i-3'] = { state: 'running', launched };
      const clients = clientsOf(seen);
      await putGuards(clients, [{ kind: 'cordon', set: 'node', object: 'o', id: node.uid, name: node.name, prior: null, ours: 'true', at: '2026-11-23T00:00:30Z' }]);
      expect((await terminateNode(clients, request(node))).instancesBefore).toEqual(['i-1', 'i-2']);
      expect(seen.calls).toEqual([]);
    });
    it('is not asked for either where somebody else began it', async () => {
      const seen = asked();
      expect(await terminateNode(clientsOf(seen), request(node, true))).toMatchObject({ decremented: true });
      expect(await readTermination(clientsOf(seen), node)).toBeUndefined();
      expect(seen.calls).toEqual([]);
    });
  });
  it.each([true, false])('of an instance that has left its group is refused while EC2 says running, and stays as it was decided once it goes (recorded: %s)', async (recorded) => {
    const node = ref('i-1', 'own');
    const seen = world({ groups: [group('own', ['i-2'])], guards: {}, instances: { 'i-1': { state: 'running' }, 'i-2': { state: 'running' } } });
    const decided = { instancesBefore: ['i-1', 'i-2'], decremented: true };
    if (recorded) await recordTermination(clientsOf(seen), node, decided);
    await expect(terminateNode(clientsOf(seen), request(node, true))).rejects.toMatchObject({ kind: 'Permanent', code: 'TerminationRefused', message: expect.stringContaining('saw the instance is not in the group') as string });
    seen.instances['i-1'] = { state: 'shutting-down' };
    expect(await terminateNode(clientsOf(seen), request(node, true))).toEqual(recorded ? decided : { instancesBefore: ['i-2'], decremented: true });
    expect(seen.calls).toEqual([]);
  });
  it('in Karpenter is never with decrement: a NodePool has no size', async () => {
    const seen = world({ claims: [claim('i-1')], guards: {}, instances: { 'i-1': { state: 'running' } } });
    expect(await terminateNode(clientsOf(seen), request(ref('i-1', 'karpenter/default'), true))).toMatchObject({ decremented: false });
    expect(seen.calls).toEqual(['delete claim-i-1 claim-uid-i-1']);
  });
  it('in Karpenter deletes the very NodeClaim, once', async () => {
    const seen = world({ claims: [claim('i-1'), claim('i-2')], instances: { 'i-1': { state: 'running' } } });
    await recordTermination(clientsOf(seen), ref('i-1', 'karpenter/default'), { instancesBefore: ['i-1'], decremented: false });
    await terminateNode(clientsOf(seen), request(ref('i-1', 'karpenter/default')));
    expect(seen.calls).toEqual(['delete claim-i-1 claim-uid-i-1']);
    const going = world({ ...seen, claims: [claim('i-1', { deleting: true })], calls: [] });
    await terminateNode(clientsOf(going), request(ref('i-1', 'karpenter/default')));
    expect(going.calls).toEqual([]);
  });
  it('without a NodeClaim is tried again: Karpenter ends what it does not know', async () => {
    const seen = world({ instances: { 'i-1': { state: 'running' } } });
    await recordTermination(clientsOf(seen), ref('i-1', 'karpenter/default'), { instancesBefore: [], decremented: false });
    await expect(terminateNode(clientsOf(seen), request(ref('i-1', 'karpenter/default')))).rejects.toMatchObject({ kind: 'Transient', code: 'NodeClaimMissing' });
  });
});

describe('a node that is released', () => {
  const node = ref('i-1', 'own');
  const entry = { kind: 'asg-desired' as const, set: 'whole' as const, object: 'o', id: 'own', name: 'own', prior: '2', ours: '4', at: '2026-11-23T00:00:00Z' };
  const own = group('own', ['i-1', 'i-2', 'i-3', 'i-4']);
  const alive = { 'i-1': { state: 'running' } };
  const cases: [string, Partial<World>, boolean, number][] = [
    ['whose termination with decrement was refused is still to be taken back', { groups: [own], instances: alive }, true, 2],
    ['that somebody detached instead, too', { groups: [group('own', ['i-2', 'i-3', 'i-4'])], instances: alive }, true, 2],
    ['whose group is gone, too', { groups: [], instances: alive }, true, 2],
    ['that its group ends while EC2 says running is taken back', { groups: [withLifecycle(own, 'i-1', 'Terminating:Wait')], instances: alive }, true, 1],
    ['that EC2 ends is taken back', { groups: [own], instances: { 'i-1': { state: 'shutting-down' } } }, true, 1],
    ['that EC2 has forgotten is taken back', { groups: [group('own', ['i-2', 'i-3', 'i-4'])] }, true, 1],
    ['that was to be replaced never counted', { groups: [own], instances: alive }, false, 2],
  ];
  it.each(cases)('%s; twice is once', async (_name, over, decremented, added) => {
    const seen = world({ ...over, guards: {} });
    const clients = clientsOf(seen);
    await putGuards(clients, [entry]);
    await recordTermination(clients, node, { instancesBefore: ['i-1'], decremented });
    for (let times = 0; times < 2; times++) await releaseNode(clients, node);
    expect(raised(await readGuards(clients), 'own')).toEqual({ prior: 2, added });
    expect(await readTermination(clients, node)).toBeUndefined();
  });
  it('is looked for in AWS only where its group was to shrink', async () => {
    const seen = world({ guards: {} });
    const clients = clientsOf(seen);
    await recordTermination(clients, node, { instancesBefore: ['i-1'], decremented: false });
    Object.assign(clients, { aws: {} });
    await releaseNode(clients, node);
    expect(await readTermination(clients, node)).toBeUndefined();
  });
});

describe('a NodePool of Karpenter', () => {
  const node = ref('i-1', 'karpenter/default');
  it('counts a NodeClaim as new from our cordon on: Karpenter answers to the first evicted pod', async () => {
    const entry = { kind: 'cordon' as const, set: 'node' as const, object: 'o', id: node.uid, name: node.name, prior: null, ours: 'true', at: '2026-11-23T10:00:00.700Z' };
    const seen = world({ claims: [claim('i-2', { created: '2026-11-23T09:59:59Z' }), claim('i-3', { created: '2026-11-23T10:00:00Z' })], });
    const clients = clientsOf(seen);
    await putGuards(clients, [entry]);
    expect(await (await driverOf(clients, node)).instancesBefore(clients, node)).toEqual(['i-2']);
  });
  it('replaces by a new NodeClaim’s instance', async () => {
    const seen = world({ claims: [claim('i-2'), claim('i-3')], instances: { 'i-3': { state: 'running' } } });
    expect((await candidatesOf(seen, node, ['i-2'])).instances.map(({ InstanceId }) => InstanceId)).toEqual(['i-3']);
  });
  it('owes no replacement where no pod waits for one', async () => {
    expect(await candidatesOf(world({ claims: [claim('i-2')] }), node, ['i-2'])).toEqual({ instances: [], awaited: [] });
  });
  it('is awaited while a pod has just become unschedulable, or a NodeClaim is being launched', async () => {
    const pod = (age: number) => ({ metadata: { namespace: 'shop', name: 'web' }, status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: new Date(Date.now() - age) }] } });
    expect((await candidatesOf(world({ pods: [pod(2000)] }), node)).awaited[0]?.reason).toContain('Pod shop/web');
    expect((await candidatesOf(world({ pods: [pod(120_000)] }), node)).awaited).toEqual([]);
    expect((await candidatesOf(world({ pods: [], claims: [claim(undefined)] }), node)).awaited[0]?.object).toBe('NodeClaim claim-new');
  });
});
