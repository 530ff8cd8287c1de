import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { ApiException } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { putGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { forceRelease } from '../../../activities/kubernetes/release.js';
import type { Released } from '../../../activities/kubernetes/release.js';
import { recordTermination } from '../../../activities/kubernetes/terminations.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import { clientsOf, group, world } from '../drivers/world.js';
import type { World } from '../drivers/world.js';

const at = '2026-11-23T10:00:00.500Z';
const object = (kind: GuardEntry['kind']) => `ASG g: ${({ 'asg-desired': 'DesiredCapacity', 'asg-max': 'MaxSize', 'scale-in-protection': 'NewInstancesProtectedFromScaleIn' } as Record<string, string>)[kind]}`;
const entry = (kind: GuardEntry['kind'], prior: string, ours: string): GuardEntry => ({ kind, set: 'whole', object: object(kind), id: 'g', name: 'g', prior, ours, at });
const SURGE = [entry('asg-desired', '3', '5'), entry('asg-max', '3', '5'), entry('scale-in-protection', 'false', 'true')];
const managed = { Tags: [{ Key: 'eks:cluster-name', Value: 'c' }, { Key: 'eks:nodegroup-name', Value: 'ng' }] };
const THREE = ['i-1', 'i-2', 'i-3'];
const FIVE = [...THREE, 'i-4', 'i-5'];
/** As the surge left it: those that were launched since are protected. */
const surged = (ids: string[], over: Partial<AutoScalingGroup> = {}): AutoScalingGroup => {
  const own = group('g', ids, { DesiredCapacity: 5, MaxSize: 5, NewInstancesProtectedFromScaleIn: true, ...over });
  return { ...own, Instances: (own.Instances ?? []).map((instance) => ({ ...instance, ProtectedFromScaleIn: instance.InstanceId === 'i-1' || !THREE.includes(instance.InstanceId ?? '') })) };
};
const launched = (time: string) => ({ state: 'running', launched: new Date(time) });
const instances = Object.fromEntries(FIVE.map((id) => [id, launched(THREE.includes(id) ? '2026-11-23T09:00:00Z' : '2026-11-23T10:00:00Z')]));

async function release(seen: World, entries: GuardEntry[] = SURGE): Promise<Released> {
  const clients = clientsOf(seen);
  Object.assign(clients.kube, { coordination: { readNamespacedLease: () => Promise.reject(new ApiException(404, 'not found', {}, {})) } });
  await putGuards(clients, entries);
  return forceRelease(clients);
}
const UNTOUCHED: string[] = [];

describe('release in the middle of a surge', () => {
  it.each([
    ['', {}, 'max 3'],
    [', MaxSize by way of EKS where it owns it', managed, 'node group {"maxSize":3}'],
  ])('gives back sizes whose nodes never came, with no launch in between, and the protection%s', async (_name, over, max) => {
    const seen = world({ groups: [surged(THREE, over)], instances, guards: {} });
    expect(await release(seen)).toEqual({ holder: null, given: [object('scale-in-protection'), object('asg-desired'), object('asg-max')], left: [], missed: [] });
    expect(seen.calls).toEqual(['protect new of g false', 'suspend Launch', 'desired 3', 'resume Launch', max]);
    expect(seen.guards).toBeUndefined();
  });

  it('leaves sizes whose nodes are there, and says how they are taken back by hand; those launched since lose their protection, another one keeps his', async () => {
    const seen = world({ groups: [surged(FIVE)], instances, guards: {} });
    const { given, left } = await release(seen);
    expect(given).toEqual([object('scale-in-protection')]);
    expect(left).toEqual([expect.stringMatching(/^ASG g: DesiredCapacity: it has 5 instances, 3 before.*--should-decrement-desired-capacity/), expect.stringContaining('MaxSize 3 would lower DesiredCapacity from 5')]);
    expect(seen.calls).toEqual(['protect new of g false', 'protect i-4 i-5 false']);
    expect(seen.guards).toBeUndefined();
  });

  it('leaves sizes that somebody else changed, and names them', async () => {
    const seen = world({ groups: [surged(THREE, { DesiredCapacity: 9, MaxSize: 20, NewInstancesProtectedFromScaleIn: false })], guards: {} });
    expect((await release(seen)).left).toEqual([expect.stringContaining('DesiredCapacity was set to 5, is 9 now'), expect.stringContaining('MaxSize was set to 5, is 20 now')]);
    expect(seen.calls).toEqual(UNTOUCHED);
  });

  it('has nothing to set where the terminations brought the group back, and forgets them', async () => {
    const seen = world({ groups: [surged(THREE, { DesiredCapacity: 3, MaxSize: 3, NewInstancesProtectedFromScaleIn: false })], guards: {} });
    await recordTermination(clientsOf(seen), { name: 'n', uid: 'u', instanceId: 'i-9', group: 'g', zone: 'z' }, { instancesBefore: [], decremented: true });
    const { given, left } = await release(seen);
    expect([given, left, seen.calls]).toEqual([[], [], UNTOUCHED]);
    expect([seen.guards, seen.parts]).toEqual([undefined, {}]);
  });

  it('ends no node that is launched in the very moment: it is read again, and then left', async () => {
    const seen = world({ groups: [surged(THREE)], instances, guards: {} });
    seen.meanwhile = (call) => {
      if (call === 'suspend Launch') seen.groups = [surged(FIVE, { SuspendedProcesses: [{ ProcessName: 'Launch' }] })];
    };
    await expect(release(seen)).rejects.toMatchObject({ kind: 'Transient', code: 'Conflict' });
    expect(seen.calls.slice(-2)).toEqual(['suspend Launch', 'resume Launch']);
    seen.calls = [];
    expect((await release(seen, [])).left).toHaveLength(2);
    expect(seen.calls.filter((call) => /^(desired|max)/.test(call))).toEqual([]);
  });

  it('lowers no MaxSize below a DesiredCapacity that is raised in the very moment', async () => {
    const seen = world({ groups: [surged(THREE, { DesiredCapacity: 3, NewInstancesProtectedFromScaleIn: false })], guards: {} });
    let looks = 0;
    Object.defineProperty(seen, 'groups', { get: () => [surged(THREE, { DesiredCapacity: ++looks > 1 ? 5 : 3, NewInstancesProtectedFromScaleIn: false })], set: () => undefined });
    await expect(release(seen, [entry('asg-max', '3', '5')])).rejects.toMatchObject({ kind: 'Transient', code: 'Conflict' });
    expect(seen.calls).toEqual([]);
  });

  it('takes the protection off those that were launched under it also where somebody took it off the group; twice is once', async () => {
    const seen = world({ groups: [surged(FIVE, { NewInstancesProtectedFromScaleIn: false })], instances, guards: {} });
    const [, , protection = SURGE[0]!] = SURGE;
    expect(await release(seen, [protection])).toMatchObject({ given: [], left: [] });
    expect(seen.calls).toEqual(['protect i-4 i-5 false']);
    await release(seen, []);
    expect(seen.calls).toEqual(['protect i-4 i-5 false']);
  });

  it('has nobody to take a protection off where the group is gone', async () => {
    const seen = world({ guards: {} });
    expect(await release(seen)).toMatchObject({ given: [], left: [] });
    expect(seen.calls).toEqual([]);
  });
});
