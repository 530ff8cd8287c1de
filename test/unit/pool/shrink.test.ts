import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decrementVerdict, lastToGo, openGroups, surplusOf, surplusToGo, isOursToEven, unevenness } from '../../../domain/pool/shrink.js';
import { poolNode } from './views.js';

const old = (zones: string) => [...zones].map((zone, index) => poolNode(index, { zone }).ref);

describe('what a group has to lose', () => {
  it.each([
    ['our extra nodes', { desired: 13, wantedAtEnd: 10, added: 3 }, 3],
    ['one went with decrement', { desired: 12, wantedAtEnd: 10, added: 3 }, 2],
    ['an autoscaler added two: they stay', { desired: 15, wantedAtEnd: 10, added: 3 }, 3],
    ['an autoscaler took two: not taken twice', { desired: 11, wantedAtEnd: 10, added: 3 }, 1],
    ['an autoscaler took all', { desired: 9, wantedAtEnd: 10, added: 3 }, 0],
  ])('%s', (_, group, expected) => expect(surplusOf(group)).toBe(expected));
});

describe('open groups', () => {
  it('are those that need their extra nodes still; when none does, all that have old nodes', () => {
    const groups = [
      { name: 'small', oldNodes: 1, surplus: 1 },
      { name: 'large', oldNodes: 5, surplus: 2 },
      { name: 'done', oldNodes: 0, surplus: 0 },
    ];
    expect(openGroups(groups)).toEqual(['large']);
    expect(openGroups(groups.map((group) => ({ ...group, oldNodes: Math.min(group.oldNodes, group.surplus) })))).toEqual(['small', 'large']);
  });
});

describe('the last to go', () => {
  it.each([
    ['the zone that has most', ['a', 'a', 'b', 'c'], 'abc', 1, 'a'],
    ['zone after zone', ['a', 'b', 'c'], 'abc', 3, 'abc'],
    ['on a tie the zone with most old nodes', ['a', 'a', 'b'], 'abbc', 1, 'b'],
    ['only where old nodes are', ['a', 'a', 'a'], 'bc', 1, 'b'],
    ['no more than there are', [], 'ab', 5, 'ab'],
  ])('%s', (_, stayingZones, oldZones, count, expected) => {
    expect(lastToGo({ stayingZones, old: old(oldZones) }, count).map(({ zone }) => zone).join('')).toBe(expected);
  });

  it('in a zone it is the last in the order of refresh', () => {
    expect(lastToGo({ stayingZones: [], old: old('aaa') }, 1).map(({ name }) => name)).toEqual(['ip-10-0-0-2']);
  });

  it('leaves balanced zones balanced while the fullest zones have old nodes', () => {
    const zones = ['a', 'b', 'c'];
    const counts = fc.record({ base: fc.nat({ max: 6 }), more: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) });
    fc.assert(
      fc.property(counts, fc.nat({ max: 18 }), ({ base, more }, count) => {
        const all = zones.flatMap((zone, index) => Array.from({ length: base + (more[index] === true ? 1 : 0) }, () => zone)).join('');
        const gone = lastToGo({ stayingZones: [], old: old(all) }, count).map(({ zone }) => zone);
        const left = zones.map((zone) => [...all].filter((other) => other === zone).length - gone.filter((other) => other === zone).length);
        expect(Math.max(...left) - Math.min(...left)).toBeLessThanOrEqual(1);
        expect(gone).toHaveLength(Math.min(count, all.length));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the zones of a group', () => {
  it.each([
    ['uneven since we came', { a: 4, b: 2, c: 3 }, { a: 3, b: 3, c: 3 }, true],
    ['a zone without a node', { a: 2, b: 1 }, { a: 1, b: 1, c: 1 }, true],
    ['even', { a: 3, b: 3, c: 2 }, { a: 3, b: 3, c: 3 }, false],
    ['uneven before', { a: 4, b: 2 }, { a: 5, b: 1 }, false],
    ['AZRebalance was suspended before', { a: 4, b: 1 }, undefined, false],
    ['one zone', { a: 4 }, { a: 4 }, false],
  ])('%s', (_, now, before, expected) => expect(isOursToEven(now, before)).toBe(expected));
});

it('a node moved from a fuller zone to an emptier one makes a group less uneven', () => {
  const pair = fc.record({ from: fc.integer({ min: 2, max: 20 }), less: fc.integer({ min: 2, max: 20 }), other: fc.nat({ max: 20 }) });
  fc.assert(
    fc.property(pair, ({ from, less, other }) => {
      const to = Math.max(0, from - less);
      expect(unevenness({ a: from - 1, b: to + 1, c: other })).toBeLessThan(unevenness({ a: from, b: to, c: other }));
    }),
  );
});

describe('extra nodes that go before their time', () => {
  const young = (zones: string, usable: boolean, from = 0) => [...zones].map((zone, index) => ({ usable, ref: { name: `${usable ? 'busy' : 'idle'}-${from + index}`, uid: `u${usable}${index}`, instanceId: `i${usable}${index}`, group: 'g', zone } }));
  it('are those first that nobody uses, then by zone', () => {
    const nodes = [...young('ab', true), ...young('bc', false)];
    expect(surplusToGo({ stayingZones: [...'aabc'], young: nodes }, 1).map(({ name }) => name)).toEqual(['idle-0']);
    expect(surplusToGo({ stayingZones: [...'aabc'], young: nodes }, 3).map(({ name }) => name)).toEqual(['idle-0', 'idle-1', 'busy-0']);
    expect(surplusToGo({ stayingZones: [], young: nodes }, 9)).toHaveLength(4);
  });
});

describe('the verdict on a termination', () => {
  const seen = { desired: 12, min: 3, lifecycle: 'InService' };
  const wanted = { decrement: true, atEnd: 10 };
  it.each([
    ['one of the last', seen, wanted, { call: 'terminate', decrement: true, why: 'DesiredCapacity is 12, 10 are to stay' }],
    ['not one of the last', seen, { ...wanted, decrement: false }, { call: 'terminate', decrement: false, why: 'it is replaced' }],
    ['already as small as it is to be', { ...seen, desired: 10 }, wanted, { call: 'terminate', decrement: false, why: 'DesiredCapacity is 10, 10 are to stay' }],
    ['already at MinSize', { ...seen, min: 12 }, wanted, { call: 'terminate', decrement: false, why: 'DesiredCapacity is 12, MinSize 12' }],
    ['booting', { ...seen, lifecycle: 'Pending:Wait' }, wanted, { call: 'terminate', decrement: true, why: 'DesiredCapacity is 12, 10 are to stay' }],
    ['in standby', { ...seen, lifecycle: 'Standby' }, wanted, { call: 'terminate', decrement: false, why: 'the instance is Standby, so DesiredCapacity does not count it' }],
    ['on its way already', { ...seen, lifecycle: 'Terminating:Wait' }, wanted, { call: 'none', why: 'the instance is Terminating:Wait' }],
    ['gone from the group', { ...seen, lifecycle: undefined }, wanted, { call: 'refuse', why: 'the instance is not in the group' }],
    ['detached', { ...seen, lifecycle: 'Detached' }, wanted, { call: 'refuse', why: 'the instance is not in the group' }],
    ['of a group that the spec shrinks', { ...seen, min: 12 }, { ...wanted, atEnd: null }, { call: 'terminate', decrement: true, why: 'the group is to shrink' }],
    ['of such a group, on its way already', { ...seen, lifecycle: 'Terminating:Proceed' }, { ...wanted, atEnd: null }, { call: 'none', why: 'the instance is Terminating:Proceed' }],
  ])('%s', (_, group, want, expected) => expect(decrementVerdict(group, want)).toEqual(expected));

  it('however often it is retried, and wherever it crashed, a node lowers DesiredCapacity once and never below the end', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }), (extra, crashes) => {
        let desired = 10 + extra;
        let lifecycle = 'InService';
        for (const beforeTheCall of crashes) {
          const verdict = decrementVerdict({ desired, min: 0, lifecycle }, wanted);
          if (beforeTheCall || verdict.call !== 'terminate') continue;
          desired -= verdict.decrement ? 1 : 0;
          lifecycle = 'Terminating';
        }
        expect(desired).toBeGreaterThanOrEqual(Math.max(10, 10 + extra - 1));
      }),
      { numRuns: 500 },
    );
  });
});
