import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendToEveryTerm, hasInEveryTerm, matchesNode, matchesTerm } from '../../../domain/kubernetes/nodeAffinity.js';
import type { Affinity, NodeSelectorRequirement, NodeSelectorTerm } from '../../../domain/kubernetes/nodeAffinity.js';
import { NOT_ON_AWS_NODES, ON_AWS_NODES } from '../../../domain/cilium/placement.js';

const key = fc.constantFrom('cni-plugin', 'zone', 'size', 'kubernetes.io/os', 'constructor');
const value = fc.constantFrom('aws', 'a', 'b', '1', '5', '10', '');
const labels = fc.dictionary(key, value);
const node = fc.record({ name: fc.constantFrom('n1', 'n2'), labels });

const expression: fc.Arbitrary<NodeSelectorRequirement> = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  fc.record({ key, operator: fc.constantFrom('Gt', 'Lt'), values: fc.array(fc.constantFrom('1', '5', 'x'), { minLength: 1, maxLength: 1 }) }),
);
const field = fc.record({ key: fc.constant('metadata.name'), operator: fc.constantFrom('In', 'NotIn'), values: fc.array(fc.constantFrom('n1', 'n2'), { minLength: 1, maxLength: 1 }) });
const term: fc.Arbitrary<NodeSelectorTerm> = fc.record(
  { matchExpressions: fc.array(expression, { maxLength: 3 }), matchFields: fc.array(field, { maxLength: 1 }) },
  { requiredKeys: [] },
);
const affinity: fc.Arbitrary<Affinity | undefined> = fc.option(
  fc.record(
    {
      nodeAffinity: fc.record(
        {
          requiredDuringSchedulingIgnoredDuringExecution: fc.record({ nodeSelectorTerms: fc.array(term, { minLength: 1, maxLength: 3 }) }),
          preferredDuringSchedulingIgnoredDuringExecution: fc.constant([{ weight: 1, preference: {} }]),
        },
        { requiredKeys: [] },
      ),
      podAntiAffinity: fc.constant({ requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }] }),
      podAffinity: fc.constant({}),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const appended = fc.constantFrom(ON_AWS_NODES, NOT_ON_AWS_NODES, { key: 'x', operator: 'Exists' });
const RUNS = { numRuns: 5000 };

describe('appendToEveryTerm', () => {
  it('narrows to where the expression holds, and to nothing less', () => {
    fc.assert(
      fc.property(affinity, appended, node, (before, added, where) => {
        const after = matchesNode(appendToEveryTerm(before, added), {}, where);
        expect(after).toBe(matchesNode(before, {}, where) && matchesTerm({ matchExpressions: [added] }, where));
      }),
      RUNS,
    );
  });

  it('leaves the expression in every term, and is idempotent', () => {
    fc.assert(
      fc.property(affinity, appended, (before, added) => {
        const once = appendToEveryTerm(before, added);
        expect(hasInEveryTerm(once, added)).toBe(true);
        expect(appendToEveryTerm(once, added)).toEqual(once);
        if (hasInEveryTerm(before, added)) expect(once).toEqual(before);
      }),
      RUNS,
    );
  });

  it('keeps everything else, and does not touch what it was given', () => {
    fc.assert(
      fc.property(affinity, appended, (before, added) => {
        const copy = structuredClone(before);
        const after = appendToEveryTerm(before, added);
        expect(before).toEqual(copy);
        const { nodeAffinity, ...others } = after;
        const { nodeAffinity: had, ...otherBefore } = before ?? {};
        expect(others).toEqual(otherBefore);
        expect(nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution).toEqual(had?.preferredDuringSchedulingIgnoredDuringExecution);
        const terms = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
        for (const [index, old] of (had?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).entries()) {
          expect(terms[index]?.matchFields).toEqual(old.matchFields);
          expect(terms[index]?.matchExpressions?.slice(0, old.matchExpressions?.length ?? 0) ?? []).toEqual(old.matchExpressions ?? []);
        }
      }),
      RUNS,
    );
  });

  it('does so to the affinity that aws-node ships with', () => {
    const stock: Affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }, { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
        },
      },
    };
    expect(appendToEveryTerm(stock, ON_AWS_NODES).nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }, ON_AWS_NODES] },
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }], matchExpressions: [ON_AWS_NODES] },
    ]);
    for (const none of [undefined, null, {}, { nodeAffinity: null }, { nodeAffinity: {} }] as (Affinity | null | undefined)[]) {
      expect(appendToEveryTerm(none, ON_AWS_NODES).nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({ nodeSelectorTerms: [{ matchExpressions: [ON_AWS_NODES] }] });
      expect(hasInEveryTerm(none, ON_AWS_NODES)).toBe(false);
    }
  });
});

describe('matchesNode', () => {
  const with1 = (requirement: NodeSelectorRequirement, given: Record<string, string>): boolean => matchesTerm({ matchExpressions: [requirement] }, { name: 'n', labels: given });

  it.each([
    ['In', ['a'], { k: 'a' }, true],
    ['In', ['a'], {}, false],
    ['NotIn', ['a'], { k: 'b' }, true],
    ['NotIn', ['a'], {}, true],
    ['NotIn', ['a'], { k: 'a' }, false],
    ['Exists', undefined, { k: '' }, true],
    ['DoesNotExist', undefined, { k: '' }, false],
    ['Gt', ['5'], { k: '10' }, true],
    ['Gt', ['5'], { k: '5' }, false],
    ['Lt', ['5'], { k: '-1' }, true],
    ['Lt', ['5'], { k: 'x' }, false],
    ['Lt', ['5'], {}, false],
    ['Gt', ['9223372036854775806'], { k: '9223372036854775807' }, true],
    ['Gt', ['1'], { k: '9223372036854775808' }, false],
    ['In', [], { k: 'a' }, false],
    ['NotIn', [], {}, false],
    ['Sometimes', ['a'], { k: 'a' }, false],
  ])('%s %j on %j: %s', (operator, values, given, expected) => {
    expect(with1({ key: 'k', operator, ...(values === undefined ? {} : { values }) }, given as Record<string, string>)).toBe(expected);
  });

  it('ORs terms, ANDs expressions, and an empty term or list matches nothing', () => {
    const required = (nodeSelectorTerms: NodeSelectorTerm[]): Affinity => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } });
    const here = { name: 'n', labels: { a: '1' } };
    const yes = { key: 'a', operator: 'Exists' };
    const no = { key: 'b', operator: 'Exists' };
    expect(matchesNode(required([{ matchExpressions: [no] }, { matchExpressions: [yes] }]), {}, here)).toBe(true);
    expect(matchesNode(required([{ matchExpressions: [no, yes] }]), {}, here)).toBe(false);
    expect(matchesNode(required([{}]), {}, here)).toBe(false);
    expect(matchesNode(required([]), {}, here)).toBe(false);
    expect(matchesNode(undefined, {}, here)).toBe(true);
    expect(matchesNode({}, { a: '1' }, here)).toBe(true);
    expect(matchesNode({}, { a: '2' }, here)).toBe(false);
  });
});
