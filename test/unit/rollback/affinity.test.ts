import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confinedToAwsNodes, isOffCiliumNodes, NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE, offCiliumNodes, ON_AWS_NODES, ON_CILIUM_NODES } from '../../../domain/cilium/placement.js';
import { affinityKeys, hasInEveryTerm, matchesNode, withoutKeys } from '../../../domain/kubernetes/nodeAffinity.js';
import type { Affinity, NodeSelectorRequirement, NodeSelectorTerm } from '../../../domain/kubernetes/nodeAffinity.js';
import { CILIUM_LABEL, CNI_LABEL } from '../../../domain/names.js';

/** Every combination of the labels that the affinities speak of, foreign values among them. */
const VALUES: Record<string, (string | undefined)[]> = {
  [CNI_LABEL]: [undefined, 'aws', 'other'],
  [CILIUM_LABEL]: [undefined, 'cilium', 'other'],
  'kubernetes.io/os': [undefined, 'linux', 'windows'],
  'eks.amazonaws.com/compute-type': [undefined, 'fargate'],
};
const NODES = Object.entries(VALUES)
  .reduce<Record<string, string>[]>((all, [key, values]) => all.flatMap((labels) => values.map((value) => (value === undefined ? labels : { ...labels, [key]: value }))), [{}])
  .map((labels, index) => ({ name: `node-${index}`, labels }));

const expression: fc.Arbitrary<NodeSelectorRequirement> = fc.oneof(
  fc.record({ key: fc.constantFrom('kubernetes.io/os', 'eks.amazonaws.com/compute-type'), operator: fc.constantFrom('In', 'NotIn'), values: fc.subarray(['linux', 'windows', 'fargate'], { minLength: 1 }) }),
  fc.record({ key: fc.constantFrom('kubernetes.io/os', CNI_LABEL), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const term: fc.Arbitrary<NodeSelectorTerm> = fc.oneof(
  fc.record({ matchExpressions: fc.array(expression, { maxLength: 3 }) }),
  fc.record({ matchFields: fc.constant<NodeSelectorRequirement[]>([{ key: 'metadata.name', operator: 'NotIn', values: ['node-1'] }]) }),
);
/** aws-node's affinity as a user may have it; without a word about our own labels unless `keys` says so. */
const stock = (speaksOfOurs: boolean): fc.Arbitrary<Affinity | null> =>
  fc
    .oneof(fc.constant(null), fc.record({ nodeAffinity: fc.record({ requiredDuringSchedulingIgnoredDuringExecution: fc.record({ nodeSelectorTerms: fc.array(term, { maxLength: 3 }) }) }) }))
    .filter((affinity) => speaksOfOurs || !affinityKeys(affinity).includes(CNI_LABEL));

const cilium = (...guard: NodeSelectorRequirement[]): Affinity => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: guard }] } } });
const MIGRATION = cilium(NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE);
const FINAL = cilium(NOT_ON_OTHER_COMPUTE);
const ROLLBACK = cilium(ON_CILIUM_NODES, NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE);

/** What stands in the cluster between two writes; undefined: the DaemonSet is not there. */
interface State {
  aws: Affinity | null | undefined;
  cilium: Affinity | undefined;
}
const both = ({ aws, cilium: of }: State): string[] =>
  NODES.filter((node) => aws !== undefined && of !== undefined && matchesNode(aws, undefined, node) && matchesNode(of, undefined, node)).map(({ labels }) => JSON.stringify(labels));

/** The writes of the ways, in their order; a crash may come after each, and the other way may begin there. */
function sequences(first: Affinity | null): Record<string, State[]> {
  const confined = confinedToAwsNodes(first);
  const opened = offCiliumNodes(confined);
  return {
    forward: [{ aws: first, cilium: undefined }, { aws: confined, cilium: undefined }, { aws: confined, cilium: MIGRATION }],
    'back, half way': [{ aws: confined, cilium: MIGRATION }, { aws: confined, cilium: ROLLBACK }, { aws: opened, cilium: ROLLBACK }, { aws: opened, cilium: undefined }, { aws: first, cilium: undefined }],
    'back, aws-node gone': [
      { aws: undefined, cilium: FINAL },
      { aws: undefined, cilium: MIGRATION },
      { aws: undefined, cilium: ROLLBACK },
      { aws: offCiliumNodes(first), cilium: ROLLBACK },
      { aws: offCiliumNodes(first), cilium: undefined },
      { aws: first, cilium: undefined },
    ],
    'forward again': [{ aws: opened, cilium: ROLLBACK }, { aws: confinedToAwsNodes(opened), cilium: ROLLBACK }, { aws: confinedToAwsNodes(opened), cilium: MIGRATION }],
    'back again': [{ aws: confinedToAwsNodes(opened), cilium: ROLLBACK }, { aws: offCiliumNodes(confinedToAwsNodes(opened)), cilium: ROLLBACK }],
    'ended early, aws-node gone': [{ aws: undefined, cilium: ROLLBACK }, { aws: undefined, cilium: MIGRATION }],
    'ended early, half way': [{ aws: confined, cilium: ROLLBACK }, { aws: confined, cilium: MIGRATION }],
  };
}

describe('both agents', () => {
  it('never fit on one node, whatever its labels are, after any write of any way', () => {
    fc.assert(
      fc.property(stock(true), (first) => {
        for (const [way, states] of Object.entries(sequences(first))) states.forEach((state, at) => expect([way, at, both(state)]).toEqual([way, at, []]));
      }),
    );
  });

  it('the next write of a way that is taken up anywhere keeps it so: each lone change of either is safe beside what stands', () => {
    fc.assert(
      fc.property(stock(true), (first) => {
        const confined = confinedToAwsNodes(first);
        const opened = offCiliumNodes(first);
        // aws-node is opened only beside a confined Cilium, Cilium widened only beside a confined aws-node (or none).
        for (const aws of [confined, confinedToAwsNodes(opened)]) expect(both({ aws, cilium: MIGRATION })).toEqual([]);
        for (const aws of [confined, opened, offCiliumNodes(confined)]) expect(both({ aws, cilium: ROLLBACK })).toEqual([]);
      }),
    );
  });
});

describe('offCiliumNodes', () => {
  it('lets aws-node go where it went at first, but for the marked nodes, and is the same twice', () => {
    fc.assert(
      fc.property(stock(false), (first) => {
        const opened = offCiliumNodes(confinedToAwsNodes(first));
        for (const node of NODES) expect(matchesNode(opened, undefined, node)).toBe(node.labels[CILIUM_LABEL] !== 'cilium' && matchesNode(terms(first) === 0 ? null : first, undefined, node));
        expect(offCiliumNodes(opened)).toEqual(opened);
        expect(affinityKeys(opened)).not.toContain(CNI_LABEL);
        expect(isOffCiliumNodes(opened)).toBe(true);
      }),
    );
  });

  it('replaces and never only drops: no term is lost or emptied', () => {
    fc.assert(
      fc.property(stock(true), (first) => {
        const confined = confinedToAwsNodes(first);
        expect(terms(offCiliumNodes(confined))).toBe(terms(confined));
        expect(hasInEveryTerm(confinedToAwsNodes(offCiliumNodes(confined)), ON_AWS_NODES)).toBe(true);
      }),
    );
  });
});

it('withoutKeys brings back where aws-node went at first, from either confinement', () => {
  fc.assert(
    fc.property(stock(false), (first) => {
      const confined = confinedToAwsNodes(first);
      for (const now of [confined, offCiliumNodes(confined)]) {
        const back = withoutKeys(now, [CNI_LABEL, CILIUM_LABEL]);
        for (const node of NODES) expect(matchesNode(back, undefined, node)).toBe(matchesNode(terms(first) === 0 ? null : first, undefined, node));
      }
    }),
  );
});

/** An affinity without any required term is one that matches everywhere, to us as in `appendToEveryTerm`. */
function terms(affinity: Affinity | null | undefined): number {
  return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.length ?? 0;
}
