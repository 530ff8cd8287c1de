import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOf } from '../../../domain/kubernetes/nodeOrder.js';
import { admit } from '../../../domain/pool/admit.js';
import type { PoolNode, PoolView } from '../../../domain/pool/view.js';
import { anyView, flying, poolNode, view } from './views.js';

const names = (seen: PoolView): string[] => admit(seen).start.map(({ node }) => node.name);
const RUNS = { numRuns: 2000 };
/** The drains that a view has and starts, with the pods of each budget. */
const drains = (seen: PoolView): PoolNode[] => [...seen.inFlight.filter(({ draining }) => draining), ...started(seen)];
const started = (seen: PoolView): PoolNode[] => {
  const begun = new Set(admit(seen).start.map(({ node }) => node.uid));
  return seen.candidates.filter(({ ref }) => begun.has(ref.uid));
};
const used = (nodes: PoolNode[], budget: string): number => nodes.filter(({ budgets }) => (budgets[budget] ?? 0) > 0).length;
const countBy = (nodes: PoolNode[], key: 'zone' | 'group'): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { ref } of nodes) counts.set(ref[key], (counts.get(ref[key]) ?? 0) + 1);
  return counts;
};

describe('admit, whatever the view', () => {
  it('starts a candidate once, and no more than the width allows', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const begun = names(seen);
        expect(new Set(begun).size).toBe(begun.length);
        const known = seen.candidates.map(({ ref }) => ref.name);
        expect(begun.filter((name) => !known.includes(name))).toEqual([]);
        if (begun.length > 0) expect(seen.inFlight.length + begun.length).toBeLessThanOrEqual(seen.limits.width);
      }),
      RUNS,
    );
  });

  it('never takes usable nodes below wanted - maxUnavailable', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const lost = started(seen).filter(({ usable }) => usable).length;
        const left = seen.nodes.usable - seen.inFlight.filter(({ usable }) => usable).length - lost;
        if (lost > 0) expect(left).toBeGreaterThanOrEqual(seen.nodes.wanted - seen.limits.maxUnavailable);
      }),
      RUNS,
    );
  });

  it('keeps the limits of every zone and group', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const begun = started(seen);
        const all = [...seen.inFlight, ...begun];
        for (const [zone] of countBy(begun, 'zone')) expect(countBy(all, 'zone').get(zone)).toBeLessThanOrEqual(seen.limits.perZone ?? Infinity);
        for (const [group] of countBy(begun, 'group')) expect(countBy(all, 'group').get(group)).toBeLessThanOrEqual(seen.limits.perGroup ?? Infinity);
      }),
      RUNS,
    );
  });

  it('never uses a budget twice: more than it allows only where one node drains alone', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const begun = started(seen);
        const over = begun.filter(({ budgets }) =>
          Object.entries(budgets).some(([budget, pods]) => pods > 0 && used(drains(seen), budget) > (seen.budgets[budget] ?? 0)),
        );
        if (over.length > 0) expect(drains(seen)).toHaveLength(1);
      }),
      RUNS,
    );
  });

  it('moves one cilium-operator at a time, after every other node of its rank', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const hosts = started(seen).filter(({ hostsOperator }) => hostsOperator);
        if (hosts.length === 0) return;
        expect(drains(seen).filter(({ hostsOperator }) => hostsOperator)).toHaveLength(1);
      }),
      RUNS,
    );
  });

  it('says of someone why it waits wherever anything waits, in a few words', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        const { start, waits } = admit(seen);
        expect(waits.length > 0).toBe(start.length < seen.candidates.length);
        expect(waits.length).toBeLessThanOrEqual(5);
        for (const { why } of waits) expect(why).toMatch(/^.{10,400}$/);
      }),
      RUNS,
    );
  });

  it('says the same whatever the order of the candidates', () => {
    fc.assert(
      fc.property(anyView, (seen) => {
        expect(admit({ ...seen, candidates: [...seen.candidates].reverse() })).toEqual(admit(seen));
      }),
      RUNS,
    );
  });

  it('gives what nextOf gives, one at a time and without budgets', () => {
    fc.assert(
      fc.property(anyView, ({ candidates }) => {
        let left = candidates.map((node) => ({ ...node, rank: 0, keptForLast: 0, budgets: {} }));
        while (left.length > 0) {
          const seen = view({ candidates: left, limits: { maxUnavailable: 0, width: 1 } });
          const [next] = admit(seen).start;
          expect(next?.node).toEqual(nextOf(left));
          left = left.filter(({ ref }) => ref !== next?.node);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('admit', () => {
  const web = { 'shop/web': 2 };

  it('with surge, starts only as many as new nodes are there: nothing goes below the start', () => {
    const candidates = [1, 2, 3].map((index) => poolNode(index));
    const seen = (usable: number) => view({ candidates, nodes: { wanted: 10, usable } });
    expect(names(seen(10))).toEqual([]);
    expect(names(seen(12))).toHaveLength(2);
    expect(admit(seen(10)).waits).toEqual([
      { node: candidates[0]?.ref, why: '10 usable nodes are left besides those in flight, at least 10 must stay (10 nodes, maxUnavailable 0): a new node has to be Ready first' },
    ]);
    expect(names({ ...seen(12), inFlight: [flying(9, { usable: true })] })).toHaveLength(1);
  });

  it('a node that is not usable anyway costs nothing', () => {
    expect(names(view({ candidates: [poolNode(1), poolNode(2, { usable: false })], nodes: { wanted: 10, usable: 9 } }))).toEqual(['ip-10-0-0-2']);
  });

  it('starts what does not collide, however late it is in the order', () => {
    const candidates = [poolNode(1, { budgets: web }), poolNode(2, { budgets: web }), poolNode(3)];
    const seen = view({ candidates, budgets: { 'shop/web': 1 } });
    expect(names(seen)).toEqual(['ip-10-0-0-1', 'ip-10-0-0-3']);
    expect(admit(seen).waits).toEqual([
      { node: candidates[1]?.ref, why: 'PodDisruptionBudget shop/web allows 1 disruption now, in use by the drain of ip-10-0-0-1' },
    ]);
  });

  it('of those that fit prefers the one whose budgets are not in use', () => {
    const candidates = [poolNode(1, { budgets: web }), poolNode(2, { budgets: { 'shop/api': 1 } })];
    const inFlight = [flying(9, { budgets: web })];
    expect(names(view({ candidates, inFlight, budgets: { 'shop/web': 2, 'shop/api': 1 }, limits: { maxUnavailable: 0, width: 2 } }))).toEqual(['ip-10-0-0-2']);
  });

  it('a budget that allows nothing: one node alone, so that its drain says why', () => {
    const candidates = [poolNode(1, { budgets: web }), poolNode(2, { budgets: web })];
    const budgets = { 'shop/web': 0 };
    expect(names(view({ candidates, budgets }))).toEqual(['ip-10-0-0-1']);
    expect(names(view({ candidates, budgets, inFlight: [flying(9)] }))).toEqual([]);
    expect(names(view({ candidates, budgets, inFlight: [flying(9, { draining: false })] }))).toEqual(['ip-10-0-0-1']);
    expect(names(view({ candidates: [...candidates, poolNode(3)], budgets }))).toEqual(['ip-10-0-0-3']);
  });

  it('while no new node is there, takes the one whose pods cost least to move twice; then the slowest first; within zone and group', () => {
    const ends = [[60, 90], [30, 30], [30, 60]].map(([slowest = 0, sum = 0], index) => poolNode(index + 1, { ends: { slowest, sum } }));
    const one = { limits: { maxUnavailable: 0, width: 1 } };
    expect(names(view({ ...one, candidates: ends }))).toEqual(['ip-10-0-0-2']);
    expect(names(view({ ...one, candidates: ends, fresh: 1 }))).toEqual(['ip-10-0-0-1']);
    const zones = [...ends, poolNode(4, { ends: { slowest: 90, sum: 9 }, zone: 'b' })];
    expect(names(view({ ...one, candidates: zones }))).toEqual(['ip-10-0-0-2']);
    expect(names(view({ ...one, candidates: zones, fresh: 1 }))).toEqual(['ip-10-0-0-1']);
  });

  it('with two new nodes a node with cilium-operator waits for no other than the one of its kind', () => {
    const candidates = [poolNode(1, { hostsOperator: true }), poolNode(2, { hostsOperator: true }), poolNode(3)];
    expect(names(view({ candidates, fresh: 1 }))).toEqual(['ip-10-0-0-3', 'ip-10-0-0-1']);
    expect(names(view({ candidates, fresh: 2 }))).toEqual(['ip-10-0-0-1', 'ip-10-0-0-3']);
  });

  it('spreads over zones, counting what is in flight', () => {
    const candidates = [1, 2, 3, 4].map((index) => poolNode(index, { zone: index < 3 ? 'a' : 'b' }));
    const inFlight = [flying(9, { zone: 'a' })];
    expect(names(view({ candidates, inFlight, limits: { maxUnavailable: 0, width: 3 } }))).toEqual(['ip-10-0-0-3', 'ip-10-0-0-1']);
  });

  it('keeps the extra nodes of a small group until the large one needs them no longer', () => {
    const candidates = [poolNode(1, { group: 'small' }), poolNode(2, { group: 'large' }), poolNode(3, { group: 'large' })];
    const surplus = { small: 1, large: 1 };
    const { start, waits } = admit(view({ candidates, surplus, limits: { maxUnavailable: 0, width: 1 } }));
    expect(start).toEqual([{ node: candidates[1]?.ref, decrement: false }]);
    expect(waits).toHaveLength(1);
    expect(admit(view({ candidates: candidates.slice(0, 2), surplus })).start.map(({ decrement }) => decrement)).toEqual([true, true]);
  });

  it('keeps old nodes in the zones from which the last are to go', () => {
    const candidates = [poolNode(1, { zone: 'a' }), poolNode(2, { zone: 'b' }), poolNode(3, { zone: 'b' })];
    const seen = view({ candidates, surplus: { workers: 2 }, keptByZone: { workers: { a: 1, b: 1 } }, limits: { maxUnavailable: 0, width: 1 } });
    expect(admit(seen).start).toEqual([{ node: candidates[1]?.ref, decrement: false }]);
    expect(admit({ ...seen, limits: { maxUnavailable: 0, width: 3 } }).start.map(({ decrement }) => decrement)).toEqual([false, true, true]);
  });

  it('a canary goes although nodes of other groups come before it', () => {
    const candidates = [poolNode(1), poolNode(2, { group: 'spot', hostsOperator: true, rank: 1 })];
    expect(names(view({ candidates, onlyGroups: ['spot'] }))).toEqual(['ip-10-0-0-2']);
  });

  it('starts ten at a time, and the others with the next answers', () => {
    const candidates = Array.from({ length: 100 }, (_, index) => poolNode(index));
    const wide = { candidates, nodes: { wanted: 200, usable: 300 }, limits: { maxUnavailable: 0, width: 100 } };
    const first = admit(view(wide)).start.map(({ node }) => node.instanceId);
    expect(first).toHaveLength(10);
    const left = candidates.filter(({ ref }) => !first.includes(ref.instanceId));
    const inFlight = candidates.filter((node) => !left.includes(node)).map((_, index) => flying(index));
    expect(admit(view({ ...wide, candidates: left, inFlight })).start).toHaveLength(10);
  });

  it('takes a few milliseconds for 1000 candidates with 12 budgets each and 50 in flight', () => {
    const budgets = Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`shop/app-${index}`, 1]));
    const some = (from: number) => Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`shop/app-${(from * 7 + index * 101) % 1200}`, 1]));
    const place = (index: number) => ({ zone: 'abc'[index % 3] ?? 'a', group: `g${index % 4}`, budgets: some(index) });
    const candidates = Array.from({ length: 1000 }, (_, index) => poolNode(index, place(index)));
    const inFlight = Array.from({ length: 50 }, (_, index) => flying(2000 + index, { ...place(index), draining: index % 2 === 0 }));
    const seen = view({ candidates, inFlight, budgets, nodes: { wanted: 1000, usable: 1200 }, limits: { maxUnavailable: 0, width: 100 } });
    const times: number[] = [];
    let begun = 0;
    for (let run = 0; run < 20; run++) {
      const before = performance.now();
      begun = admit(seen).start.length;
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    console.log(`admit: ${begun} of 1000 started; first ${Math.max(...times).toFixed(1)} ms, median ${(times[10] ?? 0).toFixed(1)} ms`);
    expect(begun).toBeGreaterThan(0);
  });
});
