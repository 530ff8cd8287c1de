import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptFleet, fleetRefusal, initialFleetControl, pauseFleetItself, resumeFleetItself, setGate } from '../../../domain/fleet/control.js';
import { chooseIds, sharedIds } from '../../../domain/fleet/ids.js';
import { isFailing, isStuck, watched } from '../../../domain/fleet/members.js';
import type { ClusterSeen, Member } from '../../../domain/fleet/members.js';
import { failures, nextMove } from '../../../domain/fleet/schedule.js';
import type { Ring } from '../../../domain/fleet/schedule.js';

const AT = '2026-11-23T00:00:00Z';
const seen = (change: Partial<ClusterSeen> = {}): ClusterSeen => ({ state: 'running', phase: 'refresh', nodes: { done: 0, total: 2 }, blocked: null, waits: null, ...change });
const member = (name: string, ring: number, change: Partial<Member> = {}): Member => ({ name, ring, spec: {}, stage: 'waiting', seen: null, ...change });
const ended = (state: ClusterSeen['state'] = 'done'): Partial<Member> => ({ stage: 'ended', seen: seen({ state }) });
const stuck: Partial<Member> = { stage: 'open', seen: seen({ blocked: 'PDB' }) };
const open: Partial<Member> = { stage: 'open', seen: seen() };
const RINGS: Ring[] = [
  { name: 'canary', maxInFlight: 1, gate: true },
  { name: 'rest', maxInFlight: 2, gate: false },
];
const move = (members: Member[], approved: string[] = []) => nextMove({ rings: RINGS, members, approved });

describe('rings', () => {
  it('start with the first', () => expect(move([member('a', 0), member('b', 1)])).toEqual({ ring: 0, start: ['a'], gate: null, finished: false }));
  it('wait while one of their clusters is under way', () => expect(move([member('a', 0, open), member('b', 1)])).toMatchObject({ start: [], gate: null }));
  it('ask at their gate, and go on when it was approved', () => {
    const members = [member('a', 0, ended()), member('b', 1), member('c', 1), member('d', 1)];
    expect(move(members)).toMatchObject({ start: [], gate: 'canary' });
    expect(move(members, ['canary'])).toMatchObject({ ring: 1, start: ['b', 'c'], gate: null });
  });
  it('give the place of a stuck cluster to the next', () => expect(move([member('a', 0, ended()), member('b', 1, stuck), member('c', 1, open), member('d', 1)], ['canary']).start).toEqual(['d']));
  it('are not held up by a stuck cluster, the end of the fleet is', () => {
    expect(move([member('a', 0, stuck), member('b', 1)], ['canary']).start).toEqual(['b']);
    expect(move([member('a', 0, stuck), member('b', 1, ended())], ['canary'])).toMatchObject({ start: [], finished: false });
    expect(move([member('a', 0, ended('failed')), member('b', 1, ended())], ['canary'])).toMatchObject({ finished: true });
  });

  const anyMember = fc.record({ ring: fc.nat({ max: 2 }), how: fc.constantFrom({}, open, stuck, ended(), ended('failed'), { stage: 'left' as const }) });
  const anyRings = fc.array(fc.record({ maxInFlight: fc.integer({ min: 1, max: 4 }), gate: fc.boolean() }), { minLength: 3, maxLength: 3 });
  it('never start more than may be in flight, nor a cluster before its ring, nor one twice', () => {
    fc.assert(
      fc.property(anyRings, fc.array(anyMember, { maxLength: 20 }), fc.subarray(['r0', 'r1']), (shape, some, approved) => {
        const rings = shape.map((ring, index) => ({ ...ring, name: `r${index}`, gate: ring.gate && index < 2 }));
        const members = some.map(({ ring, how }, index) => member(`c${index}`, ring, how));
        const { start, ring, gate, finished } = nextMove({ rings, members, approved });
        const busy = members.filter((one) => one.ring === ring && one.stage === 'open' && !isStuck(one)).length;
        expect(start.length + busy).toBeLessThanOrEqual(Math.max(busy, rings[ring]?.maxInFlight ?? 0));
        expect(new Set(start).size).toBe(start.length);
        for (const name of start) expect(members.find((one) => one.name === name)).toMatchObject({ ring, stage: 'waiting' });
        const earlier = members.filter((one) => one.ring < ring);
        expect(earlier.every((one) => one.stage === 'ended' || one.stage === 'left' || isStuck(one))).toBe(true);
        if (gate !== null) expect(approved).not.toContain(gate);
        if (finished) expect(members.every(({ stage }) => stage === 'ended' || stage === 'left')).toBe(true);
      }),
    );
  });
  it('come to an end whatever clusters do, as long as each ends', () => {
    fc.assert(
      fc.property(anyRings, fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 15 }), fc.infiniteStream(fc.nat()), (shape, places, choices) => {
        const rings = shape.map((ring, index) => ({ ...ring, name: `r${index}`, gate: ring.gate && index < 2 }));
        const members = places.map((ring, index) => member(`c${index}`, ring));
        const approved: string[] = [];
        for (let round = 0; round < 200; round++) {
          const next = nextMove({ rings, members, approved });
          if (next.finished) return;
          if (next.gate !== null) approved.push(next.gate);
          for (const one of members) if (next.start.includes(one.name)) Object.assign(one, open);
          const flying = members.filter(({ stage }) => stage === 'open');
          const choice = choices.next().value ?? 0;
          const lucky = flying[choice % Math.max(1, flying.length)];
          if (lucky) Object.assign(lucky, choice % 3 === 0 && !isStuck(lucky) ? stuck : ended(choice % 2 === 0 ? 'done' : 'failed'));
        }
        throw new Error('it never came to an end');
      }),
    );
  });
});

describe('the failure budget', () => {
  it('counts what failed, was aborted, ended partial or is blocked', () => {
    const members = [member('a', 0, ended()), member('b', 0, ended('failed')), member('c', 0, ended('partial')), member('d', 0, ended('aborted')), member('e', 0, stuck), member('f', 0, open), member('g', 0)];
    expect(failures(members, [])).toEqual(['b', 'c', 'd', 'e']);
    expect(failures(members, ['b', 'e'])).toEqual(['c', 'd']);
    expect(watched(members).map(({ name }) => name)).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(isFailing(member('h', 0, { stage: 'left' }))).toBe(false);
  });
});

describe('what operators say', () => {
  const said = { by: 'me', reason: 'why' };
  const gate = { ring: 'canary', digest: 'd1', shows: [], since: AT };
  it('approves an open gate with its digest only', () => {
    const control = setGate(initialFleetControl(), gate);
    expect(fleetRefusal(control, { verb: 'approve', ...said, gate: 'rest', digest: 'd1' })).toContain('expected ring canary');
    expect(fleetRefusal(control, { verb: 'approve', ...said, gate: 'canary', digest: 'd2' })).toContain('expected digest d1');
    expect(fleetRefusal(initialFleetControl(), { verb: 'approve', ...said, gate: 'canary', digest: 'd1' })).toContain('no open gate');
    const command = { verb: 'approve', ...said, gate: 'canary', digest: 'd1' } as const;
    expect(fleetRefusal(control, command)).toBeNull();
    expect(acceptFleet(control, command, { at: AT, failing: [] })).toMatchObject({ gate: null, approved: ['canary'], audit: [{ verb: 'approve', on: 'canary', by: 'me' }] });
  });
  it('renews a gate whose ring stands otherwise, and keeps the age of one that does not', () => {
    const control = setGate(initialFleetControl(), gate);
    expect(setGate(control, { ...gate, since: 'later' })).toBe(control);
    expect(setGate(control, { ...gate, digest: 'd2' }).gate?.digest).toBe('d2');
  });
  it('resumes past the failures that stopped the fleet', () => {
    const control = pauseFleetItself(initialFleetControl(), 'too many', AT);
    expect(acceptFleet(control, { verb: 'resume', ...said }, { at: AT, failing: ['a'] })).toMatchObject({ paused: null, forgiven: ['a'] });
  });
  it('lets a person pause over a pause of its own, which then does not end by itself', () => {
    const itself = pauseFleetItself(initialFleetControl(), 'too many', AT);
    expect(fleetRefusal(itself, { verb: 'pause', ...said })).toBeNull();
    const paused = acceptFleet(itself, { verb: 'pause', ...said }, { at: AT, failing: [] });
    expect(resumeFleetItself(paused, 'gone', AT)).toBe(paused);
    expect(fleetRefusal(paused, { verb: 'pause', ...said })).toContain('already paused by me');
  });
  it('needs a reason, and nothing but an abort once it is aborting', () => {
    expect(fleetRefusal(initialFleetControl(), { verb: 'pause', by: 'me', reason: ' ' })).toContain('"reason"');
    const aborting = acceptFleet(initialFleetControl(), { verb: 'abort', ...said }, { at: AT, failing: [] });
    expect(fleetRefusal(aborting, { verb: 'pause', ...said })).toContain('aborting');
  });
});

describe('ids', () => {
  const id = fc.option(fc.integer({ min: 1, max: 20 }), { nil: null });
  it('are never given twice, nor one that somebody has, and always the lowest that is free', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), (ids, from, length) => {
        const holders = ids.map((one, index) => ({ name: `c${index}`, id: one }));
        const { chosen, without } = chooseIds(holders, { from, to: from + length });
        const given = Object.values(chosen);
        expect(new Set(given).size).toBe(given.length);
        expect(given.some((one) => ids.includes(one) || one < from || one > from + length)).toBe(false);
        expect(given).toEqual([...given].sort((one, other) => one - other));
        expect([...Object.keys(chosen), ...without]).toEqual(holders.filter((holder) => holder.id === null).map(({ name }) => name));
        // Once they are kept, choosing again changes nothing.
        const kept = holders.map((holder) => ({ ...holder, id: holder.id ?? chosen[holder.name] ?? null }));
        expect(chooseIds(kept, { from, to: from + length }).chosen).toEqual({});
      }),
    );
  });
  it('that two clusters have are named', () => expect(sharedIds([{ name: 'a', id: 1 }, { name: 'b', id: 1 }, { name: 'c', id: null }])).toEqual([{ id: 1, names: ['a', 'b'] }]));
});
