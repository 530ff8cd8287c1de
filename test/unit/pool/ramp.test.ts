import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterNode, awaitingCanary, recovered, resumed, room, startRamp, width } from '../../../domain/pool/ramp.js';
import type { Ramp } from '../../../domain/pool/ramp.js';

const GROUPS = ['spot', 'workers'];
const limits = { canary: 1, later: 3 };
const ended = (group: string, ok = true, over: { node?: string; inFlight?: number; most?: number; failing?: number; left?: number } = {}) => ({ node: 'i', group, ok, inFlight: 1, most: 100, limits, ...over });
const after = (ramp: Ramp, ...all: ReturnType<typeof ended>[]): Ramp => all.reduce(afterNode, ramp);
const proven = after(startRamp(true), ended('spot'), ended('workers'));
const at = (ramp: Ramp, most = 100): number => width(ramp, { most, groups: GROUPS });

describe('the ramp', () => {
  it('starts with one node of each group, alone', () => {
    expect(at(startRamp(true))).toBe(1);
    expect(awaitingCanary(startRamp(true), GROUPS)).toEqual(GROUPS);
    const one = after(startRamp(true), ended('workers'));
    expect(awaitingCanary(one, GROUPS)).toEqual(['spot']);
    expect(at(one)).toBe(1);
    expect(awaitingCanary(one, ['workers'])).toEqual([]);
  });

  it('doubles with each full round of successes, up to what the limits allow', () => {
    const widths: number[] = [];
    let ramp = proven;
    for (let node = 0; node < 16; node++) {
      widths.push(at(ramp, 6));
      ramp = afterNode(ramp, ended('workers', true, { inFlight: at(ramp, 6), most: 6 }));
    }
    expect(widths).toEqual([1, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
    expect(at(ramp, 3)).toBe(3);
    expect(at(ramp, 100)).toBe(6);
  });

  it('falls back to 1 after a failure, and what was started before proves nothing', () => {
    const wide = { ...proven, width: 8 };
    const fallen = after(wide, ended('workers', false, { inFlight: 8 }));
    expect(at(fallen)).toBe(1);
    const others = [7, 6, 5, 4, 3, 2].map((inFlight) => ended('workers', true, { inFlight }));
    expect(at(after(fallen, ...others))).toBe(1);
    expect(at(after(fallen, ...others, ended('workers')))).toBe(2);
  });

  it('a canary group that comes late is alone again', () => {
    const wide = { ...proven, width: 8 };
    expect(width(wide, { most: 100, groups: [...GROUPS, 'new'] })).toBe(1);
    expect(at(after(wide, ended('new')))).toBe(8);
  });

  it('without a canary goes straight to what the limits allow, also after a failure', () => {
    expect(at(startRamp(false), 12)).toBe(12);
    expect(at(after(startRamp(false), ended('workers', false)), 12)).toBe(12);
  });

  it('trips at the first failure of a canary, else at the third in a row, until somebody resumes', () => {
    expect(after(startRamp(true), ended('spot', false)).tripped).toBe(true);
    expect(after(proven, ended('spot', false), ended('spot', false)).tripped).toBe(false);
    expect(after(proven, ended('spot', false), ended('spot', false), ended('spot'), ended('spot', false)).tripped).toBe(false);
    const tripped = after(proven, ended('spot', false), ended('workers', false), ended('spot', false));
    expect(tripped).toMatchObject({ tripped: true, failures: 3 });
    expect(after(tripped, ended('spot')).tripped).toBe(true);
    expect(resumed(tripped)).toMatchObject({ tripped: false, failures: 0, width: 1 });
    expect(after(startRamp(false), ended('spot', false), ended('spot', false)).tripped).toBe(false);
  });

  it('that has tripped is not undone by others that were in flight, but by those that failed and went well after all', () => {
    const fail = (node: string, group = 'spot') => ended(group, false, { node });
    const well = (node: string, group = 'spot') => ended(group, true, { node });
    const tripped = after(proven, fail('a'), fail('b'), fail('c'));
    expect(after(tripped, well('d'), well('e', 'workers'))).toMatchObject({ tripped: true, failures: 3 });
    expect(recovered(tripped, well('b'))).toMatchObject({ tripped: false });
    const four = after(tripped, fail('d'));
    expect(recovered(four, well('a'))).toMatchObject({ tripped: true, failures: 3 });
    expect(recovered(recovered(four, well('a')), well('b')).tripped).toBe(false);
    const canary = after(startRamp(true), fail('a'));
    expect(recovered(canary, well('a'))).toMatchObject({ tripped: false, failures: 0, proven: ['spot'] });
  });

  it('that has tripped is not undone by one whose failure was seen before, nor a canary by one of another group', () => {
    const seen = resumed(after(proven, ended('spot', false, { node: 'old' })));
    const tripped = after(seen, ...['a', 'b', 'c'].map((node) => ended('spot', false, { node })));
    expect(recovered(tripped, ended('spot', true, { node: 'old' }))).toMatchObject({ tripped: true, failures: 3 });
    const first = resumed(after(startRamp(true), ended('workers', false, { node: 'first' })));
    const second = after(first, ended('workers', true, { node: 'second' }), ended('spot', false, { node: 'canary' }));
    expect(second.tripped).toBe(true);
    expect(recovered(second, ended('workers', true, { node: 'first' }))).toMatchObject({ tripped: true });
  });

  it('trips where as many fail as may be missing, if others are still to be started', () => {
    const one = ended('spot', false, { failing: 1, most: 1 });
    expect(after(proven, one).tripped).toBe(true);
    expect(after(proven, { ...one, left: 0 }).tripped).toBe(false);
    expect(after(proven, { ...one, most: 2 }).tripped).toBe(false);
    expect(recovered(after(proven, one), ended('spot', true, { failing: 0, most: 1 })).tripped).toBe(false);
  });

  it('grows beside those that fail', () => {
    const fallen = after({ ...proven, width: 4 }, ended('spot', false, { node: 'bad' }));
    expect(after(fallen, ended('workers', true, { node: 'well', inFlight: 2, failing: 1 })).width).toBe(2);
  });

  it('has room beside those that fail, as far as the limits go', () => {
    const fallen = after({ ...proven, width: 4 }, ended('spot', false));
    expect(room(fallen, { most: 4, groups: GROUPS, failing: 1 })).toBe(2);
    expect(room(fallen, { most: 4, groups: GROUPS, failing: 9 })).toBe(4);
    expect(room(fallen, { most: 1, groups: GROUPS, failing: 1 })).toBe(1);
  });

  it('trips where the operator set the limits', () => {
    const patient = { canary: 2, later: 1 };
    const one = after(startRamp(true), { ...ended('spot', false), limits: patient });
    expect(one.tripped).toBe(false);
    expect(after(one, { ...ended('spot', false), limits: patient }).tripped).toBe(true);
    expect(after(proven, { ...ended('spot', false), limits: patient }).tripped).toBe(true);
  });

  it('never is wider than the limits, never below 1 where they allow any, and survives JSON', () => {
    const event = fc.record({ node: fc.constantFrom('a', 'b', 'c'), group: fc.constantFrom(...GROUPS), ok: fc.boolean(), inFlight: fc.integer({ min: 1, max: 9 }), most: fc.integer({ min: 1, max: 9 }), limits: fc.constant(limits) });
    fc.assert(
      fc.property(fc.boolean(), fc.array(event, { maxLength: 60 }), fc.nat({ max: 9 }), (canary, events, most) => {
        const ramp = events.reduce(afterNode, startRamp(canary));
        expect(at(ramp, most)).toBeLessThanOrEqual(most);
        expect(at(ramp, most)).toBeGreaterThanOrEqual(Math.min(1, most));
        expect(JSON.parse(JSON.stringify(ramp))).toEqual(ramp);
      }),
      { numRuns: 1000 },
    );
  });
});
