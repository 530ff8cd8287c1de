import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_OUTCOMES } from '../../../domain/refresh.js';
import type { NodeOutcome, NodeResult } from '../../../domain/refresh.js';
import { doneCount, joined, namesOf, noResults, PAGE_SIZE, pageToFile, postponedIds, withoutPage, withResult } from '../../../domain/results.js';
import type { Results } from '../../../domain/results.js';

const result = (id: number, outcome: NodeOutcome, at: number): NodeResult => ({
  node: { name: `ip-${id}`, uid: `u-${id}`, instanceId: `i-${id}`, group: 'g', zone: 'z' },
  outcome,
  startedAt: 't',
  endedAt: `t${at}`,
  seconds: {},
  evictedPods: 0,
});

/** Ends of nodes in any order; one that is through does not come again. */
const ends = fc.array(fc.record({ id: fc.nat(400), outcome: fc.constantFrom(...NODE_OUTCOMES) }), { minLength: 1, maxLength: 1_200 });

function run(all: { id: number; outcome: NodeOutcome }[]): { results: Results; pages: NodeResult[][]; last: Map<number, NodeOutcome>; widest: number } {
  const last = new Map<number, NodeOutcome>();
  const pages: NodeResult[][] = [];
  let [results, widest] = [noResults(), 0];
  all.forEach(({ id, outcome }, at) => {
    const before = last.get(id);
    if (before === 'refreshed' || before === 'gone') return;
    last.set(id, outcome);
    results = withResult(results, result(id, outcome, at));
    for (let page = pageToFile(results); page !== undefined; page = pageToFile(results)) {
      pages[page.page - 1] = page.nodes;
      results = withoutPage(results, page);
    }
    widest = Math.max(widest, results.newest.length);
  });
  return { results, pages, last, widest };
}

describe('results of nodes', () => {
  it('are all there, each as the node ended last, however they were filed', () => {
    fc.assert(
      fc.property(ends, (all) => {
        const { results, pages, last } = run(all);
        const seen = joined(pages, results.newest);
        expect(new Map(seen.map(({ node, outcome }) => [node.instanceId, outcome]))).toEqual(new Map([...last].map(([id, outcome]) => [`i-${id}`, outcome])));
        expect(seen).toHaveLength(last.size);
      }),
    );
  });

  it('count every node once, by how it ended last', () => {
    fc.assert(
      fc.property(ends, (all) => {
        const { results, last } = run(all);
        for (const outcome of NODE_OUTCOMES) {
          const ids = [...last].filter(([, its]) => its === outcome).map(([id]) => `ip-${id}`);
          expect(results.tally[outcome] ?? 0).toBe(ids.length);
          if (outcome !== 'refreshed' && outcome !== 'gone') expect(namesOf(results, outcome, 1_000).sort()).toEqual(ids.sort());
        }
        expect(doneCount(results)).toBe([...last.values()].filter((outcome) => ['refreshed', 'gone', 'unproven'].includes(outcome)).length);
      }),
    );
  });

  it('keep at most two pages with the run', () => {
    fc.assert(fc.property(ends, (all) => void expect(run(all).widest).toBeLessThan(2 * PAGE_SIZE)));
  });

  it('know how often a node was postponed, until it is through', () => {
    const twice = withResult(withResult(noResults(), result(1, 'postponed', 1)), result(1, 'postponed', 2));
    expect([postponedIds(twice, 1), postponedIds(twice, 2)]).toEqual([['i-1'], ['i-1']]);
    expect(postponedIds(withResult(twice, result(1, 'refreshed', 3)), 1)).toEqual([]);
  });

  it('file the same page again after a crash, whatever came meanwhile', () => {
    const many = Array.from({ length: 2 * PAGE_SIZE }, (_, id) => result(id, 'refreshed', id)).reduce(withResult, noResults());
    const page = pageToFile(many);
    expect(pageToFile(withResult(many, result(9_999, 'refreshed', 9_999)))).toEqual(page);
  });
});
