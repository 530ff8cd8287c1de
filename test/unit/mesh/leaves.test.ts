import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leavesOf, recordedLeaves, valueAt, withLeaves, withoutLeaves } from '../../../domain/mesh/leaves.js';
import { meshValues } from '../../../domain/mesh/values.js';
import { merge } from '../../../domain/cilium/valueTree.js';
import type { HelmValues } from '../../../domain/spec/schema.js';

const key = fc.constantFrom('a', 'b.c', 'd/e');
const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 2 }));
/** Helm values without empty maps, which say nothing. */
const values: fc.Arbitrary<HelmValues> = fc.letrec<{ tree: HelmValues }>((tie) => ({
  tree: fc.dictionary(key, fc.oneof({ depthSize: 'small' }, leaf, tie('tree').filter((tree) => Object.keys(tree).length > 0)), { maxKeys: 3 }),
})).tree;

describe('what a mesh sets', () => {
  it('laid over and taken off again is as before, and says what helm would make of it', () => {
    fc.assert(
      fc.property(values, values, (before, wanted) => {
        // A leaf of ours where the user has a map would be lost by merging, too: helm has the same rule, and ours are never such.
        fc.pre(leavesOf(wanted).every(({ path }) => path.every((_, index) => index === 0 || isMapOrNothing(valueAt(before, path.slice(0, index))))));
        fc.pre(leavesOf(wanted).every(({ path }) => !isMap(valueAt(before, path))));
        const leaves = recordedLeaves(wanted, before, []);
        const laid = withLeaves(before, leaves);
        expect(laid).toEqual(merge(before, wanted));
        expect(withoutLeaves(laid, leaves)).toEqual({ values: before, left: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('twice is once: a second stage never takes the first for the user\'s', () => {
    const user: HelmValues = { clustermesh: { apiserver: { replicas: 2 }, useAPIServer: false } };
    const base = { expose: 'nodePort' as const, ownNames: [], nativeCidr: null, rotatedCa: null };
    const first = recordedLeaves(meshValues({ ...base, peers: null }), user, []);
    const exposed = withLeaves(user, first);
    const second = recordedLeaves(meshValues({ ...base, peers: [{ name: 'b', port: 1, ips: ['10.0.0.1'] }], nativeCidr: '10.0.0.0/8' }), exposed, first);
    const connected = withLeaves(exposed, second);
    expect(valueAt(connected, ['clustermesh', 'config', 'enabled'])).toBe(true);
    expect(withoutLeaves(connected, second)).toEqual({ values: user, left: [] });
  });

  it('what somebody changed since is left and named', () => {
    const leaves = recordedLeaves({ a: { b: 1, c: 2 } }, {}, []);
    expect(withoutLeaves({ a: { b: 7, c: 2 } }, leaves)).toEqual({ values: { a: { b: 7 } }, left: ['a.b'] });
  });
});

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMapOrNothing(value: unknown): boolean {
  return value === undefined || isMap(value);
}
