import { describe, expect, it } from 'vitest';
import { raised } from '../../../activities/aws/guards/sizes.js';
import { raiseCapacity } from '../../../activities/aws/raiseCapacity.js';
import { guardsIn, putGuards, readGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { recordTermination } from '../../../activities/kubernetes/terminations.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import { surplusOf } from '../../../domain/pool/shrink.js';
import { clientsOf, group, world } from '../drivers/world.js';
import type { World } from '../drivers/world.js';

const at = '2026-11-23T00:00:00Z';
const sizes = (DesiredCapacity: number, MaxSize: number, over: object = {}) => group('g', ['i-1'], { DesiredCapacity, MaxSize, NewInstancesProtectedFromScaleIn: true, ...over });
const entry = (kind: 'asg-desired' | 'asg-max', prior: number, ours: number): GuardEntry => ({ kind, set: 'whole', object: `ASG g: ${kind === 'asg-max' ? 'MaxSize' : 'DesiredCapacity'}`, id: 'g', name: 'g', prior: String(prior), ours: String(ours), at });
const managed = { Tags: [{ Key: 'eks:cluster-name', Value: 'c' }, { Key: 'eks:nodegroup-name', Value: 'ng' }] };
const wanted = { extra: 2, groups: [{ name: 'g', oldNodes: 9 }] };

/** Raised from what was decided on, while the group may be another by now. */
async function raise(seen: World, decidedOn: World['groups'], entries: GuardEntry[] = []): Promise<string[]> {
  const clients = clientsOf(seen);
  await putGuards(clients, entries);
  return raiseCapacity(clients, wanted, { groups: decidedOn, ledger: await readGuards(clients) });
}
const written = (seen: World) =>
  Object.values(guardsIn(seen.guards ?? {})).map(({ kind, prior, ours }) => [kind, prior, ours].join(' ')).sort();

describe('raising a group', () => {
  it('adds its share, MaxSize only by what is in the way, and nothing when it is done again', async () => {
    const seen = world({ groups: [sizes(10, 11)], guards: {} });
    await raise(seen, seen.groups);
    await raise(seen, seen.groups);
    expect(seen.calls).toEqual(['max 12', 'desired 12']);
    expect(written(seen)).toEqual(['asg-desired 10 12', 'asg-max 11 12']);
  });

  it('goes by way of EKS where it owns the sizes, and counts once while EKS still works on it', async () => {
    const seen = world({ groups: [sizes(10, 20, managed)], guards: {} });
    await raise(seen, seen.groups);
    await raise(seen, seen.groups);
    expect(seen.calls).toEqual(['node group {"desiredSize":12}', 'node group {"desiredSize":12}']);
    expect(written(seen)).toEqual(['asg-desired 10 12']);
  });

  it.each([
    ['raised DesiredCapacity', sizes(14, 20)],
    ['lowered DesiredCapacity', sizes(8, 20)],
    ['moved MaxSize', sizes(10, 15)],
    ['raised a managed group', sizes(14, 20, managed)],
  ])('is decided anew where somebody %s since it was decided: nothing is set, nothing counted as ours', async (_name, now) => {
    const seen = world({ groups: [now], guards: {} });
    const decidedOn = [{ ...now, DesiredCapacity: 10, MaxSize: 20 }];
    await expect(raise(seen, decidedOn)).rejects.toMatchObject({ kind: 'Transient', code: 'SizesMoved' });
    expect([seen.calls, written(seen)]).toEqual([[], []]);
    // Anew, from what is there.
    await raise(seen, seen.groups);
    expect(raised(guardsIn(seen.guards ?? {}), 'g')).toEqual({ prior: now.DesiredCapacity, added: 2 });
  });

  it('that is decided anew leaves what was ours before as it was', async () => {
    const seen = world({ groups: [sizes(13, 13)], guards: {} });
    const before = [entry('asg-desired', 10, 11), entry('asg-max', 10, 11)];
    await expect(raise(seen, [sizes(11, 11)], before)).rejects.toMatchObject({ code: 'SizesMoved' });
    expect([seen.calls, written(seen)]).toEqual([[], ['asg-desired 10 11', 'asg-max 10 11']]);
  });

  const lowered: [string, World['groups'][number], string[], string[], string[]][] = [
    ['DesiredCapacity', sizes(5, 20), ['desired 7'], ['asg-desired 5 7', 'asg-max 10 12'], ['DesiredCapacity was lowered from 10 to 5']],
    ['MaxSize, and DesiredCapacity with it', sizes(8, 8), ['max 10', 'desired 10'], ['asg-desired 8 10', 'asg-max 8 10'], ['DesiredCapacity was lowered from 10 to 8', 'MaxSize was lowered from 10 to 8']],
    ['MaxSize of a managed group', sizes(8, 8, managed), ['node group {"desiredSize":10,"maxSize":10}'], ['asg-desired 8 10', 'asg-max 8 10'], ['DesiredCapacity was lowered from 10 to 8', 'MaxSize was lowered from 10 to 8']],
    ['only to what is still above its size of before', sizes(11, 12), ['desired 12'], ['asg-desired 10 12', 'asg-max 10 12'], []],
  ];
  it.each(lowered)('that somebody lowered meanwhile (%s) starts from there, and says so', async (_name, now, calls, entries, notes) => {
    const seen = world({ groups: [now], guards: {} });
    const said = await raise(seen, seen.groups, [entry('asg-desired', 10, 12), entry('asg-max', 10, 12)]);
    expect(seen.calls).toEqual(calls);
    expect(written(seen)).toEqual(entries);
    expect(said).toEqual(notes.map((note) => expect.stringContaining(note) as string));
  });

  it('ends with what somebody lowered it to', async () => {
    const seen = world({ groups: [sizes(5, 20)], guards: {} });
    await raise(seen, seen.groups, [entry('asg-desired', 10, 12)]);
    const ours = raised(guardsIn(seen.guards ?? {}), 'g');
    expect(surplusOf({ desired: 7, wantedAtEnd: ours?.prior ?? 0, added: ours?.added ?? 0 })).toBe(2);
  });

  it('does not forget a termination with decrement that was written since it was read', async () => {
    const seen = world({ groups: [sizes(11, 20)], guards: {} });
    const clients = clientsOf(seen);
    await putGuards(clients, [entry('asg-desired', 10, 11)]);
    const ledger = await readGuards(clients);
    await recordTermination(clients, { name: 'n', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'z' }, { instancesBefore: [], decremented: true });
    await raiseCapacity(clients, wanted, { groups: seen.groups, ledger });
    expect(seen.calls).toEqual(['desired 12']);
    expect(written(seen)).toEqual(['asg-desired 10 11']);
  });
});
