import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rebased, restore, sizePlan, surgeShares, unlaunched } from '../../../domain/pool/surge.js';

const RUNS = { numRuns: 2000 };
const groups = fc
  .array(fc.nat({ max: 40 }), { maxLength: 8 })
  .map((sizes) => sizes.map((oldNodes, index) => ({ name: `g${index}`, oldNodes })));

describe('surge shares', () => {
  it.each([
    [[6, 3, 1], 5, [3, 2, 0]],
    [[6, 3, 1], 10, [6, 3, 1]],
    [[6, 3, 1], 99, [6, 3, 1]],
    [[1, 1, 1], 2, [1, 1, 0]],
    [[0, 5], 3, [0, 3]],
    [[], 3, []],
  ])('groups of %j with %i extra: %j', (sizes, total, expected) => {
    expect(Object.values(surgeShares(sizes.map((oldNodes, index) => ({ name: `g${index}`, oldNodes })), total))).toEqual(expected);
  });

  it('sum to what is asked or what there is, never more than a group has, never a whole node off its proportion', () => {
    fc.assert(
      fc.property(groups, fc.nat({ max: 200 }), (all, total) => {
        const shares = surgeShares(all, total);
        const old = all.reduce((sum, { oldNodes }) => sum + oldNodes, 0);
        const extra = Math.min(total, old);
        expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBe(extra);
        for (const { name, oldNodes } of all) {
          expect(shares[name]).toBeLessThanOrEqual(oldNodes);
          expect(Math.abs((shares[name] ?? 0) * old - extra * oldNodes)).toBeLessThan(Math.max(1, old));
        }
      }),
      RUNS,
    );
  });
});

describe('sizes', () => {
  it.each([
    ['room below MaxSize: only DesiredCapacity', { desired: 3, max: 10 }, 2, 0, { desired: 2, max: 0 }],
    ['MaxSize in the way: raised by what lacks', { desired: 3, max: 4 }, 3, 0, { desired: 3, max: 2 }],
    ['some are there already', { desired: 5, max: 5 }, 3, 2, { desired: 1, max: 1 }],
    ['all are there already', { desired: 5, max: 5 }, 2, 2, { desired: 0, max: 0 }],
    ['fewer are wanted now: a group never shrinks by a number', { desired: 8, max: 8 }, 1, 5, { desired: 0, max: 0 }],
  ])('%s', (_, group, extra, added, expected) => expect(sizePlan(group, extra, { added })).toEqual(expected));

  it('a plan carried out is done: planned again it adds nothing', () => {
    fc.assert(
      fc.property(fc.nat({ max: 50 }), fc.nat({ max: 50 }), fc.nat({ max: 10 }), (desired, spare, extra) => {
        const group = { desired, max: desired + spare };
        const once = sizePlan(group, extra, { added: 0 });
        const grown = { desired: group.desired + once.desired, max: group.max + once.max };
        expect(grown.max).toBeGreaterThanOrEqual(grown.desired);
        expect(sizePlan(grown, extra, { added: once.desired })).toEqual({ desired: 0, max: 0 });
      }),
      RUNS,
    );
  });
});

describe('the size of before', () => {
  it.each([
    ['stays while the group is above it', 12, { prior: 10, added: 2 }],
    ['stays when all extra nodes are gone', 10, { prior: 10, added: 2 }],
    ['is what somebody lowered the group to: nothing of ours is left', 5, { prior: 5, added: 0 }],
    ['is nothing where somebody emptied the group', 0, { prior: 0, added: 0 }],
  ])('%s', (_, desired, expected) => expect(rebased({ prior: 10, added: 2 }, desired)).toEqual(expected));
});

describe('giving sizes back', () => {
  const max = { kind: 'max', prior: 10, ours: 13 } as const;
  const desired = { kind: 'desired', prior: 10, ours: 13 } as const;
  it.each([
    ['MaxSize as we left it', max, { desired: 10, max: 13, instances: 10 }, { set: 10 }],
    ['MaxSize back already', max, { desired: 10, max: 10, instances: 10 }, { set: null, why: 'MaxSize is 10 again' }],
    ['MaxSize of somebody else', max, { desired: 10, max: 20, instances: 10 }, { set: null, why: 'MaxSize was set to 13, is 20 now; somebody else changed it' }],
    [
      'MaxSize below DesiredCapacity',
      max,
      { desired: 12, max: 13, instances: 12 },
      { set: null, why: 'MaxSize 10 would lower DesiredCapacity from 12 and terminate nodes undrained' },
    ],
    ['DesiredCapacity whose nodes never came', desired, { desired: 13, max: 13, instances: 10 }, { set: 10 }],
    ['DesiredCapacity, all terminated with decrement', desired, { desired: 10, max: 13, instances: 10 }, { set: null, why: 'DesiredCapacity is 10 again' }],
    [
      'DesiredCapacity whose nodes are there',
      desired,
      { desired: 12, max: 13, instances: 12 },
      { set: null, why: expect.stringMatching(/^it has 12 instances, 10 before: DesiredCapacity 10 would terminate 2 of them undrained.*kubectl drain NODE.*--should-decrement-desired-capacity/) as string },
    ],
    [
      'DesiredCapacity that an autoscaler moved',
      desired,
      { desired: 15, max: 15, instances: 15 },
      { set: null, why: 'DesiredCapacity was set to 13, is 15 now; somebody else changed it' },
    ],
  ])('%s', (_, entry, now, expected) => expect(restore(entry, now)).toEqual(expected));

  it('never sets a number that would make Auto Scaling terminate a node', () => {
    const size = fc.nat({ max: 8 });
    fc.assert(
      fc.property(fc.constantFrom('max' as const, 'desired' as const), fc.tuple(size, size), fc.tuple(size, size, size), (kind, [prior, delta], [wanted, most, instances]) => {
        const now = { desired: Math.min(wanted, most), max: most, instances };
        const { set } = restore({ kind, prior, ours: prior + delta }, now);
        if (set === null) return;
        expect(set).toBe(prior);
        expect(set).toBeGreaterThanOrEqual(kind === 'max' ? now.desired : instances);
      }),
      RUNS,
    );
  });
});

describe('launches that have not come about', () => {
  it.each([
    ['all are there', { desired: 6, instances: 6 }, 0],
    ['two of three are not', { desired: 6, instances: 4 }, 2],
    ['none is, and a replacement is under way', { desired: 6, instances: 2 }, 3],
    ['an autoscaler wants more', { desired: 9, instances: 3 }, 3],
    ['it is lowered already', { desired: 3, instances: 3 }, 0],
  ])('%s', (_, group, expected) => expect(unlaunched({ ...group, ours: { prior: 3, added: 3 } })).toBe(expected));
});
