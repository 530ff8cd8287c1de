import { describe, expect, it } from 'vitest';
import { admit } from '../../../domain/pool/admit.js';
import { startRamp } from '../../../domain/pool/ramp.js';
import { rankOf } from '../../../domain/pool/rank.js';
import { survey } from '../../../domain/pool/survey.js';
import type { SeenNode, Survey } from '../../../domain/pool/survey.js';
import { matchesSelector } from '../../../domain/kubernetes/labelSelector.js';
import { refreshSchema } from '../../../domain/spec/schema.js';

const node = (name: string, over: Partial<SeenNode> = {}): SeenNode => ({
  ref: { name, uid: `uid-${name}`, instanceId: `i-${name}`, group: 'g', zone: `z${name.charCodeAt(0) % 3}` },
  labels: {}, created: 0, old: true, usable: true, hostsOperator: false, ...over,
});
const seen = (over: Partial<Survey> = {}): Survey => {
  const nodes = over.nodes ?? ['a', 'b', 'c'].map((name) => node(name));
  return {
    nodes, pods: [], budgets: [], flights: [], decremented: new Set(), exclude: [], later: [], ramp: startRamp(false), refresh: refreshSchema.parse({}),
    groups: [{ name: 'g', desired: nodes.length, inService: nodes.map(({ ref }) => ref.instanceId) }], ...over,
  };
};
const started = (of: Survey) => admit(survey(of).view).start.map(({ node: { name } }) => name);

describe('what the pool may choose from', () => {
  it('is one node at a time where nothing else is asked for, and none while one is missing', () => {
    expect(started(seen())).toHaveLength(1);
    expect(started(seen({ flights: [{ instanceId: 'i-a', group: 'g', draining: true, decrement: false }] }))).toEqual([]);
    expect(started(seen({ nodes: [node('a'), node('b', { usable: false, old: false }), node('c')] }))).toEqual([]);
  });

  it('is bounded by zone and by group as the spec says, with those in flight counted', () => {
    const at = (name: string, group: string, zone: string) => node(name, { ref: { name, uid: `uid-${name}`, instanceId: `i-${name}`, group, zone } });
    const nodes = [at('a', 'g', 'x'), at('b', 'g', 'x'), at('c', 'g', 'y'), at('d', 'h', 'y'), at('e', 'h', 'x')];
    const groups = ['g', 'h'].map((name) => {
      const own = nodes.filter(({ ref }) => ref.group === name);
      return { name, desired: own.length, inService: own.map(({ ref }) => ref.instanceId) };
    });
    const of = (limits: object, over: Partial<Survey> = {}) => started(seen({ nodes, groups, refresh: refreshSchema.parse({ maxUnavailable: 5, canary: false, ...limits }), ...over })).sort();
    const zoneOf = (name: string) => nodes.find(({ ref }) => ref.name === name)?.ref.zone;
    const groupOf = (name: string) => nodes.find(({ ref }) => ref.name === name)?.ref.group;
    expect(of({})).toHaveLength(5);
    expect(of({ maxPerZone: 1 }).map(zoneOf).sort()).toEqual(['x', 'y']);
    expect(of({ maxPerZone: 2 }).map(zoneOf).sort()).toEqual(['x', 'x', 'y', 'y']);
    expect(of({ maxPerGroup: 1 }).map(groupOf).sort()).toEqual(['g', 'h']);
    expect(of({ maxPerGroup: 2, maxPerZone: 1 })).toHaveLength(2);
    const flights = [{ instanceId: 'i-a', group: 'g', draining: true, decrement: false }];
    expect(of({ maxPerZone: 1 }, { flights }).map(zoneOf)).toEqual(['y']);
    expect(of({ maxPerGroup: 1 }, { flights }).map(groupOf)).toEqual(['h']);
  });

  it('tells how long the pods of a node take to end, and how many new nodes could take them', () => {
    const pod = (of: string, graceSeconds: number) => ({ node: of, namespace: 'shop', labels: {}, graceSeconds });
    const pods = [pod('a', 30), pod('a', 30), pod('b', 60)];
    const old = ['a', 'b', 'c'].map((name) => node(name));
    expect(survey(seen({ pods })).view).toMatchObject({ fresh: 0, candidates: [{ ends: { slowest: 30, sum: 60 } }, { ends: { slowest: 60, sum: 60 } }, { ends: { slowest: 0, sum: 0 } }] });
    expect(survey(seen({ nodes: [...old, node('x', { old: false, usable: false })] })).view.fresh).toBe(0);
    expect(survey(seen({ nodes: [...old, node('x', { old: false }), node('y', { old: false })] })).view.fresh).toBe(2);
  });

  it('comes to those that were postponed beside one that fails, which may never end', () => {
    const flight = (failing: boolean) => ({ instanceId: 'i-a', group: 'g', draining: false, decrement: false, failing });
    const at = (failing: boolean) => survey(seen({ flights: [flight(failing)], later: ['i-b', 'i-c'] })).view.candidates.map(({ ref }) => ref.name);
    expect(at(false)).toEqual([]);
    expect(at(true)).toEqual(['b', 'c']);
  });

  it('is nothing before the extra nodes of a surge are there', () => {
    const refresh = refreshSchema.parse({ maxSurge: 2, maxUnavailable: 0 });
    const groups = [{ name: 'g', desired: 5, surge: { prior: 3, added: 2 }, inService: ['i-a', 'i-b', 'i-c', 'i-d', 'i-e'] }];
    const young = ['d', 'e'].map((name) => node(name, { old: false }));
    expect(started(seen({ refresh, groups }))).toEqual([]);
    expect(started(seen({ refresh, groups, nodes: [...['a', 'b', 'c'].map((name) => node(name)), ...young] }))).toHaveLength(2);
    expect(survey(seen({ refresh })).maxSurge).toBe(2);
  });

  describe('never falls below the nodes of the start', () => {
    const refresh = refreshSchema.parse({ maxSurge: 5, maxUnavailable: 0 });
    const of = (group: string, count: number, over: Partial<SeenNode> = {}) => Array.from({ length: count }, (_, index) => node(`${group}${index}`, { ref: { ...node(`${group}${index}`).ref, group }, ...over }));

    it('where the only node of a group is gone while it is in flight', () => {
      const extra = node('extra', { old: false, ref: { ...node('extra').ref, group: 'b' } });
      const b = { name: 'b', desired: 15, surge: { prior: 10, added: 5 }, inService: [] };
      const flights = [{ instanceId: 'i-a0', group: 'a', draining: false, decrement: false }];
      const without = seen({ refresh, nodes: [...of('b', 10), extra], groups: [b], flights });
      expect(survey(without).view.nodes).toEqual({ wanted: 11, usable: 11 });
      expect(started(without)).toEqual([]);
      const sized = { ...without, groups: [{ name: 'a', desired: 1, inService: [] }, b] };
      expect(survey(sized).view.nodes).toEqual({ wanted: 11, usable: 11 });
    });

    it('by nodes of no group, which make up for none of a group', () => {
      const b = { name: 'b', desired: 8, surge: { prior: 3, added: 5 }, inService: [] };
      const loose = of('', 2);
      const before = seen({ refresh, nodes: [...of('b', 3), ...loose], groups: [b] });
      expect(survey(before).view.nodes).toEqual({ wanted: 5, usable: 5 });
      expect(started(before)).toEqual([]);
      const extra = node('extra', { old: false, ref: { ...node('extra').ref, group: 'b' } });
      expect(started({ ...before, nodes: [...before.nodes, extra] })).toHaveLength(1);
      // Nor are they to be missing themselves.
      expect(started({ ...before, nodes: [...of('b', 3, { old: false }), ...loose] })).toEqual([]);
    });
  });

  it('marks the last ones for decrement, and takes Cilium nodes that a skipped one has left over', () => {
    const refresh = refreshSchema.parse({ maxSurge: 1, maxUnavailable: 0 });
    const groups = [{ name: 'g', desired: 4, surge: { prior: 3, added: 1 }, inService: ['i-a', 'i-x', 'i-y', 'i-z'] }];
    const young = ['x', 'y', 'z'].map((name) => node(name, { old: false }));
    const last = seen({ refresh, groups, nodes: [node('a'), ...young] });
    expect(admit(survey(last).view).start).toMatchObject([{ node: { name: 'a' }, decrement: true }]);
    const skipped = admit(survey({ ...last, exclude: ['a'] }).view).start;
    expect(skipped).toMatchObject([{ decrement: true }]);
    expect(skipped[0]?.node.name).not.toBe('a');
  });

  it('takes back what it added and nothing of an autoscaler, whichever of the two a node is', () => {
    const refresh = refreshSchema.parse({ maxSurge: 1, maxUnavailable: 0 });
    const young = ['v', 'w', 'x', 'y', 'z'].map((name) => node(name, { old: false }));
    const group = (added: number) => [{ name: 'g', desired: 6, surge: { prior: 3, added }, inService: ['i-a', ...young.map(({ ref }) => ref.instanceId)] }];
    const nodes = [node('a'), ...young];
    expect(admit(survey(seen({ refresh, nodes, groups: group(1) })).view).start).toMatchObject([{ node: { name: 'a' }, decrement: true }]);
    // Ours was taken back: the two that are more are somebody else's.
    expect(admit(survey(seen({ refresh, nodes, groups: group(0) })).view).start).toMatchObject([{ node: { name: 'a' }, decrement: false }]);
    expect(admit(survey(seen({ refresh, nodes: young, groups: group(0) })).view).start).toEqual([]);
    // One that goes with decrement is counted once, whether its termination is in the ledger or not yet.
    const flights = [{ instanceId: 'i-z', group: 'g', draining: false, decrement: true }];
    expect(survey(seen({ refresh, nodes, flights, groups: group(2) })).view.surplus).toEqual({ g: 1 });
    expect(survey(seen({ refresh, nodes, flights, groups: group(1), decremented: new Set(['i-z']) })).view.surplus).toEqual({ g: 1 });
  });

  describe('where the run ends in the middle of a surge', () => {
    const refresh = { ...refreshSchema.parse({}), maxSurge: 0, maxUnavailable: 0 };
    const [x, y, z] = ['x', 'y', 'z'].map((name) => node(name, { old: false }));
    const ids = ['a', 'b', 'x', 'y', 'z'].map((name) => `i-${name}`);
    const group = { name: 'g', desired: 5, surge: { prior: 3, added: 2 }, inService: ids, alive: 5 };
    const ending = (over: Partial<Survey> = {}) => seen({ refresh, ending: true, nodes: [node('a'), node('b'), x!, y!, z!], groups: [group], ...over });

    it('is extra nodes only, however many old ones are left, and as many as may be missing at a time', () => {
      expect(survey(ending()).view.candidates.map(({ ref }) => ref.name)).toHaveLength(2);
      expect(admit(survey(ending()).view).start).toMatchObject([{ decrement: true }]);
      expect(started(ending({ refresh: refreshSchema.parse({ maxUnavailable: 2 }) })).every((name) => ['x', 'y', 'z'].includes(name))).toBe(true);
    });

    it('begins with those that nobody uses yet', () => {
      expect(started(ending({ nodes: [node('a'), node('b'), x!, { ...y!, usable: false }, z!] }))).toEqual(['y']);
    });

    it('counts those in flight, and passes over those that are to be left', () => {
      const flights = [{ instanceId: 'i-x', group: 'g', draining: true, decrement: true }];
      expect(survey(ending({ flights })).view.candidates).toHaveLength(1);
      const left = survey(ending({ exclude: ['i-x', 'y'] })).view.candidates.map(({ ref }) => ref.name);
      expect(left).toEqual(['z']);
    });

    it('takes no node for one that was never launched', () => {
      const unlaunched = ending({ groups: [{ ...group, alive: 4 }] });
      expect(survey(unlaunched).view.candidates).toHaveLength(1);
      expect(survey(unlaunched).unlaunched).toBe(1);
      expect(survey(seen({ nodes: [x!, y!, z!], groups: [{ ...group, desired: 4, inService: ids, alive: 3 }] }))).toMatchObject({ unlaunched: 1, view: { candidates: [] } });
    });

    it('is nothing where nothing was added, or an autoscaler has taken it', () => {
      expect(survey(ending({ groups: [{ ...group, surge: undefined }] })).view.candidates).toEqual([]);
      expect(survey(ending({ groups: [{ ...group, desired: 3, alive: 3 }] })).view.candidates).toEqual([]);
    });
  });

  it('at the end passes over an extra node that was skipped, or comes to one that was postponed last', () => {
    const young = ['x', 'y'].map((name) => node(name, { old: false }));
    const groups = [{ name: 'g', desired: 2, surge: { prior: 1, added: 1 }, inService: ['i-x', 'i-y'] }];
    const of = (over: Partial<Survey>) => survey(seen({ nodes: young, groups, ...over })).view.candidates.map(({ ref }) => ref.name);
    const [first = ''] = of({});
    expect(of({ exclude: [first] })).toEqual([first === 'x' ? 'y' : 'x']);
    expect(of({ later: [`i-${first}`] })).toEqual([first === 'x' ? 'y' : 'x']);
  });

  it('leaves postponed nodes to the end', () => {
    expect(started(seen({ later: ['i-a', 'i-b'] }))).toEqual(['c']);
    expect(started(seen({ nodes: [node('a')], later: ['i-a'] }))).toEqual(['a']);
    expect(survey(seen({ nodes: [node('a'), node('b')], later: ['i-a'], flights: [{ instanceId: 'i-b', group: 'g', draining: true, decrement: false }] })).view.candidates).toEqual([]);
  });

  it('counts pods of each budget by node, and no two drains use one budget that allows one', () => {
    const refresh = refreshSchema.parse({ maxUnavailable: 3 });
    const pods = ['a', 'b'].map((name) => ({ node: name, namespace: 'shop', labels: { app: 'cart' }, graceSeconds: 30 }));
    const budgets = [{ namespace: 'shop', name: 'cart', selector: { matchLabels: { app: 'cart' } }, disruptionsAllowed: 1 }];
    const names = started(seen({ refresh, pods, budgets }));
    expect(names).toContain('c');
    expect(names.filter((name) => name !== 'c')).toHaveLength(1);
  });

  it('has one canary of each group first', () => {
    const refresh = refreshSchema.parse({ maxUnavailable: 3 });
    const other = node('d', { ref: { ...node('d').ref, group: 'h' } });
    const nodes = [...['a', 'b', 'c'].map((name) => node(name)), other];
    const groups = [{ name: 'g', desired: 3, inService: [] }, { name: 'h', desired: 1, inService: [] }];
    expect(started(seen({ refresh, nodes, groups, ramp: startRamp(true) }))).toHaveLength(1);
    expect(started(seen({ refresh, nodes, groups, ramp: { ...startRamp(true), proven: ['g'] } }))).toEqual(['d']);
  });
});

it("the operator's order: listed first, by label, the rest, listed last", () => {
  const order = { label: 'wave', first: ['x'], last: ['y'] };
  const names: { name: string; labels: Record<string, string> }[] = [
    { name: 'y', labels: { wave: '1' } },
    { name: 'plain', labels: {} },
    { name: 'two', labels: { wave: '2' } },
    { name: 'one', labels: { wave: '1' } },
    { name: 'x', labels: {} },
    { name: 'odd', labels: { wave: 'soon' } },
  ];
  expect([...names].sort((a, b) => rankOf(a, order) - rankOf(b, order)).map(({ name }) => name)).toEqual(['x', 'one', 'two', 'plain', 'odd', 'y']);
});

it.each([
  [{ matchLabels: { a: '1' } }, { a: '1', b: '2' }, true],
  [{ matchLabels: { a: '1' } }, { a: '2' }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, { a: '2' }, true],
  [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, {}, true],
  [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, {}, false],
  [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, {}, true],
  [{}, { a: '1' }, true],
  [undefined, { a: '1' }, false],
])('selector %j on %j: %s', (selector, labels, expected) => expect(matchesSelector(selector, labels as Record<string, string>)).toBe(expected));
