import fc from 'fast-check';
import type { FlyingNode, PoolNode, PoolView } from '../../../domain/pool/view.js';

export function poolNode(index: number, over: Partial<PoolNode> & { zone?: string; group?: string } = {}): PoolNode {
  const { zone = 'a', group = 'workers', ...rest } = over;
  const ref = { name: `ip-10-0-0-${index}`, uid: `uid-${index}`, instanceId: `i-${index}`, group, zone };
  return { ref, hostsOperator: false, created: index, rank: 0, usable: true, budgets: {}, ...rest };
}

export function flying(index: number, over: Parameters<typeof poolNode>[1] & { draining?: boolean } = {}): FlyingNode {
  const { draining = true, ...rest } = over;
  return { ...poolNode(index, { usable: false, ...rest }), draining };
}

/** Room for everything, unless told otherwise. */
export function view(over: Partial<PoolView> = {}): PoolView {
  return { candidates: [], inFlight: [], budgets: {}, nodes: { wanted: 10, usable: 20 }, limits: { maxUnavailable: 0, width: 10 }, ...over };
}

const BUDGETS = ['shop/web', 'shop/api', 'shop/db', 'jobs/queue'];
const anyNode = fc.record({
  zone: fc.constantFrom('a', 'b', 'c'),
  group: fc.constantFrom('g1', 'g2', 'g3'),
  hostsOperator: fc.boolean(),
  created: fc.nat({ max: 5 }),
  rank: fc.nat({ max: 2 }),
  usable: fc.boolean(),
  keptForLast: fc.nat({ max: 3 }),
  draining: fc.boolean(),
  budgets: fc.dictionary(fc.constantFrom(...BUDGETS), fc.nat({ max: 3 }), { maxKeys: 3 }),
});

export const anyView: fc.Arbitrary<PoolView> = fc
  .record({
    nodes: fc.array(anyNode, { maxLength: 20 }),
    flying: fc.array(anyNode, { maxLength: 5 }),
    budgets: fc.dictionary(fc.constantFrom(...BUDGETS), fc.nat({ max: 3 })),
    wanted: fc.nat({ max: 25 }),
    usable: fc.nat({ max: 30 }),
    limits: fc.record({
      maxUnavailable: fc.nat({ max: 5 }),
      width: fc.nat({ max: 10 }),
      perZone: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      perGroup: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    }),
    surplus: fc.dictionary(fc.constantFrom('g1', 'g2', 'g3'), fc.nat({ max: 4 })),
    keptByZone: fc.dictionary(fc.constantFrom('g1', 'g2', 'g3'), fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: 2 }))),
    onlyGroups: fc.option(fc.subarray(['g1', 'g2', 'g3']), { nil: undefined }),
  })
  .map(({ nodes, flying: started, wanted, usable, ...rest }) => ({
    ...rest,
    candidates: nodes.map((node, index) => poolNode(index, node)),
    inFlight: started.map((node, index) => flying(100 + index, node)),
    nodes: { wanted, usable },
  }));
