import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSelector } from '../../../domain/kubernetes/labelSelector.js';
import { parseSelector } from '../../../domain/kubernetes/selectorText.js';
import type { Requirement } from '../../../domain/kubernetes/selectorText.js';

const parsed = (text: string): Requirement[] => {
  const read = parseSelector(text);
  if ('problem' in read) throw new Error(`${text}: ${read.problem}`);
  return read.requirements;
};
const problem = (text: string): string => {
  const read = parseSelector(text);
  if (!('problem' in read)) throw new Error(`expected a problem with ${text}`);
  return read.problem;
};

function printed(requirements: readonly Requirement[]): string {
  return requirements
    .map(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'Exists':
          return key;
        case 'DoesNotExist':
          return `!${key}`;
        case 'In':
          return `${key} in (${values.join(',')})`;
        case 'NotIn':
          return `${key} notin (${values.join(',')})`;
      }
    })
    .join(',');
}

describe('a label selector as a text', () => {
  it.each<[string, Requirement[]]>([
    ['pool=db', [{ key: 'pool', operator: 'In', values: ['db'] }]],
    ['pool == db', [{ key: 'pool', operator: 'In', values: ['db'] }]],
    ['pool!=db', [{ key: 'pool', operator: 'NotIn', values: ['db'] }]],
    ['pool=', [{ key: 'pool', operator: 'In', values: [''] }]],
    ['pool', [{ key: 'pool', operator: 'Exists' }]],
    ['! pool', [{ key: 'pool', operator: 'DoesNotExist' }]],
    ['pool in (db, cache)', [{ key: 'pool', operator: 'In', values: ['db', 'cache'] }]],
    ['example.com/pool notin(db,,db)', [{ key: 'example.com/pool', operator: 'NotIn', values: ['db', ''] }]],
    ['pool in ()', [{ key: 'pool', operator: 'In', values: [''] }]],
    // Words of the grammar are names like any other where a name stands.
    ['in in (in,notin),notin', [{ key: 'in', operator: 'In', values: ['in', 'notin'] }, { key: 'notin', operator: 'Exists' }]],
  ])('%s', (text, expected) => expect(parsed(text)).toEqual(expected));

  it.each([
    ['', 'a label key at its end'],
    ['  ', 'a label key at its end'],
    ['pool=db,', 'a label key at its end'],
    ['=db', 'a label key at character 1 instead of "="'],
    ['!', 'a label key at its end'],
    ['pool in db', '"(" at character 9 instead of "db"'],
    ['pool in (db', '"," or ")" at its end'],
    ['pool in (a b)', '"," or ")" at character 12 instead of "b"'],
    ['pool in (a=b)', '"," or ")" at character 11 instead of "="'],
    ['pool:db', 'a label key at character 1 instead of "pool:db"'],
    ['pool db', '=, ==, !=, in, notin or "," at character 6 instead of "db"'],
    ['cpu>4', '=, ==, !=, in, notin or "," at character 4 instead of ">"'],
    ['!pool in (db)', '"," at character 7 instead of "in"'],
    ['a=b c=d', '"," at character 5 instead of "c"'],
    ['a=b/c', 'a label value at character 3 instead of "b/c"'],
    ['a=(b)', 'a label value at character 3 instead of "("'],
    ['UPPER.example/pool', 'a label key at character 1 instead of "UPPER.example/pool"'],
    [`a=${'x'.repeat(64)}`, `a label value at character 3 instead of "${'x'.repeat(64)}"`],
  ])('%j is none', (text, expected) => expect(problem(text)).toBe(expected));

  const name = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/);
  const key = fc.oneof(name, fc.tuple(fc.constantFrom('example.com', 'a-1.b'), name).map((parts) => parts.join('/')), fc.constantFrom('in', 'notin'));
  const values = fc.uniqueArray(fc.oneof(name, fc.constantFrom('', 'in')), { minLength: 1, maxLength: 4 });
  const requirement: fc.Arbitrary<Requirement> = fc.oneof(
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
    fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values }),
  );

  it('is read as it was printed', () => {
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 5 }), (some) => {
        expect(parsed(printed(some))).toEqual(some);
      }),
    );
  });

  it('of any shape is refused, or says the same when it is printed and read again', () => {
    const piece = fc.constantFrom('a', 'b/c', 'in', 'notin', ' ', ',', '(', ')', '!', '=', '==', '!=', '<', '-', '\t');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')), (text) => {
        const read = parseSelector(text);
        fc.pre(!('problem' in read));
        expect(parsed(printed(parsed(text)))).toEqual(parsed(text));
      }),
      { numRuns: 300 },
    );
  });

  it('selects as the API server does: = and in need the label, != and notin do not', () => {
    const nodes = { db: { pool: 'db' }, cache: { pool: 'cache' }, none: {} };
    const selected = (text: string) => Object.entries(nodes).flatMap(([of, labels]) => (matchesSelector({ matchExpressions: parsed(text) }, labels) ? [of] : []));
    expect([selected('pool=db'), selected('pool!=db'), selected('pool'), selected('!pool'), selected('pool in (db,cache),pool notin (db)')]).toEqual([['db'], ['cache', 'none'], ['db', 'cache'], ['none'], ['cache']]);
  });
});
