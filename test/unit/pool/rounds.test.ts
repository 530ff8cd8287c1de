import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterNode, awaitingCanary, startRamp, width } from '../../../domain/pool/ramp.js';
import { paceText, roundsOf } from '../../../domain/pool/rounds.js';

const nodes = (...groups: string[]) => groups.map((group) => ({ group }));
const of = (count: number) => nodes(...Array.from({ length: count }, () => 'a'));

describe('how often the time of one node passes', () => {
  it.each([
    ['one by one', of(6), { maxSurge: 0, maxUnavailable: 1, canary: true }, { rounds: 6, width: 1 }],
    ['all that the limits allow', of(30), { maxSurge: 10, maxUnavailable: 0, canary: false }, { rounds: 3, width: 10 }],
    ['a canary, then 1, 2, 4, 8 and the rest', of(30), { maxSurge: 10, maxUnavailable: 0, canary: true }, { rounds: 7, width: 10 }],
    ['a canary of each group', nodes('a', 'a', 'b', 'c'), { maxSurge: 2, maxUnavailable: 0, canary: true }, { rounds: 4, width: 2 }],
    ['a share of them', of(8), { maxSurge: '25%', maxUnavailable: '25%', canary: false }, { rounds: 2, width: 4 }],
    ['fewer nodes than may go at a time', of(2), { maxSurge: 10, maxUnavailable: 0, canary: false }, { rounds: 1, width: 2 }],
    ['none', [], { maxSurge: 1, maxUnavailable: 0, canary: true }, { rounds: 0, width: 1 }],
  ])('%s', (_, given, refresh, rounds) => expect(roundsOf(given, refresh)).toEqual(rounds));

  it('is what the ramp makes of it when every node takes the same', () => {
    const given = fc.record({ groups: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 }), most: fc.integer({ min: 1, max: 20 }), canary: fc.boolean() });
    fc.assert(fc.property(given, ({ groups, most, canary }) => {
      expect(roundsOf(nodes(...groups), { maxSurge: most, maxUnavailable: 0, canary }).rounds).toBe(ramped(groups, most, canary));
    }), { numRuns: 500 });
  });
});

it('is told in words', () => {
  expect(paceText({ rounds: 3, width: 1 })).toBe('one node after the other');
  expect(paceText({ rounds: 3, width: 10 })).toBe('10 nodes at a time');
});

function ramped(groups: string[], most: number, canary: boolean): number {
  let ramp = startRamp(canary);
  let left = groups;
  let rounds = 0;
  for (; left.length > 0; rounds++) {
    const room = width(ramp, { most, groups: left });
    // Of what may start, canaries come first.
    const waiting = awaitingCanary(ramp, left);
    const batch = [...left].sort((a, b) => Number(waiting.includes(b)) - Number(waiting.includes(a))).slice(0, room);
    for (const group of batch) left = left.toSpliced(left.indexOf(group), 1);
    batch.forEach((group, index) => (ramp = afterNode(ramp, { node: `i-${index}`, group, ok: true, inFlight: batch.length - index, most, limits: { canary: 1, later: 3 } })));
  }
  return rounds;
}
