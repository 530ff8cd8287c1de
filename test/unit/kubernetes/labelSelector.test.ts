import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesSelector, selectorIndex } from '../../../domain/kubernetes/labelSelector.js';
import type { LabelSelector } from '../../../domain/kubernetes/labelSelector.js';

// Few keys and values, or nothing would match.
const key = fc.constantFrom('app', 'tier', 'toString', '__proto__');
const value = fc.constantFrom('a', 'b', '');
const labels = fc.array(fc.tuple(key, value), { maxLength: 4 }).map((pairs): Record<string, string> => Object.fromEntries(pairs));
const requirement = fc.record({ key, operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), values: fc.array(value, { maxLength: 2 }) });
const selector = fc.option(fc.record({ matchLabels: labels, matchExpressions: fc.array(requirement, { maxLength: 2 }) }, { requiredKeys: [] }), { nil: undefined });

it('an index finds the selectors that match, each once', () => {
  fc.assert(
    fc.property(fc.array(selector, { maxLength: 12 }), labels, (selectors, of) => {
      const items = selectors.map((each: LabelSelector | undefined, index) => ({ index, selector: each }));
      const found = selectorIndex(items, (item) => item.selector)(of);
      expect(found.map(({ index }) => index).sort((a, b) => a - b)).toEqual(items.filter((item) => matchesSelector(item.selector, of)).map(({ index }) => index));
    }),
    { numRuns: 2_000 },
  );
});
