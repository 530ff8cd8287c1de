import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bothZero, limitProblem, resolveLimits } from '../../../domain/pool/limits.js';

describe('maxSurge and maxUnavailable', () => {
  it.each([
    [{ maxSurge: 2, maxUnavailable: 1 }, 10, 2, 1],
    [{ maxSurge: '25%', maxUnavailable: '25%' }, 10, 3, 2],
    [{ maxSurge: '25%', maxUnavailable: 0 }, 1, 1, 0],
    [{ maxSurge: '0%', maxUnavailable: '10%' }, 5, 0, 1],
    [{ maxSurge: 0, maxUnavailable: '100%' }, 5, 0, 5],
    [{ maxSurge: 0, maxUnavailable: 9 }, 5, 0, 5],
    [{ maxSurge: '7%', maxUnavailable: '29%' }, 100, 7, 29],
  ])('%o of %i nodes: surge %i, unavailable %i', (limits, nodes, maxSurge, maxUnavailable) => {
    expect(resolveLimits(limits, nodes)).toEqual({ maxSurge, maxUnavailable });
  });

  it('never both come to 0, nor to more than there are nodes by a percentage', () => {
    const limit = fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 100 }).map((value) => `${value}%`));
    fc.assert(
      fc.property(limit, limit, fc.integer({ min: 1, max: 10_000 }), (maxSurge, maxUnavailable, nodes) => {
        const resolved = resolveLimits({ maxSurge, maxUnavailable }, nodes);
        expect(resolved.maxSurge + resolved.maxUnavailable).toBeGreaterThan(0);
        expect(resolved.maxUnavailable).toBeLessThanOrEqual(nodes);
        if (typeof maxSurge === 'string') expect(resolved.maxSurge).toBeLessThanOrEqual(nodes);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['0', '2', '25%', '100%', '0%'])('%j can be typed', (value) => expect(limitProblem(value)).toBeNull());
  it.each(['', ' ', '-1', '1.5', '25 %', '%', '1e3', '25%%', 'all', '0x2', '12345678'])('%j is refused with what was expected', (value) => {
    expect(limitProblem(value)).toBe(`expected a whole number of nodes such as 2, or a percentage such as 25%, not ${JSON.stringify(value)}`);
  });
  it('more than 100% is refused', () => expect(limitProblem('101%')).toBe('expected at most 100%, not 101%'));
  it('what is refused is never resolved', () => {
    expect(() => resolveLimits({ maxSurge: -1, maxUnavailable: 1 }, 10)).toThrow('expected a whole number');
  });

  it.each([
    [0, 0, true],
    ['0%', 0, true],
    ['0', '0%', true],
    [1, 0, false],
    [0, '1%', false],
    ['10%', '0%', false],
  ])('%j and %j are both zero: %j', (maxSurge, maxUnavailable, expected) => expect(bothZero({ maxSurge, maxUnavailable })).toBe(expected));
});
