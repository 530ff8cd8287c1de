import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../domain/canonical.js';
import { mergeSpecs, sharedBy, without } from '../../../domain/fleet/merge.js';
import { manifestOf, migrationName, rosterOf, selected } from '../../../domain/fleet/roster.js';
import { fleetInputSchema } from '../../../domain/fleet/schema.js';
import type { SpecPart } from '../../../domain/fleet/schema.js';

const spec = fc.dictionary(fc.constantFrom('cilium', 'refresh', 'drain', 'x', '__proto__'), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<SpecPart>;

describe('specs', () => {
  it('merge by key; a list, a text or a number stands in place of what was under it', () => {
    expect(mergeSpecs({ refresh: { maxSurge: 4, canary: true }, approvals: ['a', 'b'] }, { refresh: { maxSurge: 1 }, approvals: [] })).toEqual({ refresh: { maxSurge: 1, canary: true }, approvals: [] });
  });
  it('less what they share, and that merged under them again, are what they were', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), (specs) => {
        const shared = sharedBy(specs);
        for (const one of specs) expect(canonicalJson(mergeSpecs(shared, without(one, shared)))).toBe(canonicalJson(one));
      }),
    );
  });
  it('that are alike share all', () => {
    fc.assert(fc.property(spec, (one) => void expect(without(one, sharedBy([one, mergeSpecs({}, one)]))).toEqual({})));
  });
});

describe('the roster', () => {
  const select = { tags: { env: 'prod' }, accounts: [{ roleArn: 'arn:aws:iam::111122223333:role/ciliate', regions: ['eu-west-1'] }] };
  const input = fleetInputSchema.parse({
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'Fleet',
    metadata: { name: 'f' },
    spec: {
      shared: { cilium: { version: '1.20.0' } },
      rings: [{ name: 'r', clusters: [{ name: 'listed', spec: { cluster: { eks: { name: 'Listed', region: 'eu-west-1' } }, cilium: { clusterId: 7 } } }, { select, spec: { soakSeconds: 9 }, taskQueue: 'q' }] }],
    },
  });
  it('has members by name, with the ids that they name, and selections that are still open', () => {
    const { members, selections } = rosterOf(input);
    expect(members).toMatchObject([{ name: 'listed', ring: 0, clusterId: 7, stage: 'waiting' }]);
    expect(selections).toHaveLength(1);
  });
  it('makes a migration of each EKS cluster found, and leaves out what is listed already', () => {
    const { members, selections } = rosterOf(input);
    const found = [{ name: 'Prod_EU_1', region: 'eu-west-1', roleArn: 'arn:aws:iam::111122223333:role/ciliate' }, { name: 'Listed', region: 'eu-west-1' }];
    const [selection] = selections;
    if (selection === undefined) throw new Error('no selection');
    const more = selected(found, selection, { members, shared: input.spec.shared });
    expect(more.notes).toEqual(['EKS cluster Listed in eu-west-1 is in the fleet already, as listed']);
    expect(more.members).toHaveLength(1);
    const [fresh] = more.members;
    if (fresh === undefined) throw new Error('no member');
    expect(manifestOf({ ...fresh, clusterId: 3 }, input.spec.shared)).toEqual({
      apiVersion: 'ciliate.io/v1alpha1',
      kind: 'ClusterMigration',
      metadata: { name: 'prod-eu-1' },
      spec: { cluster: { eks: { name: 'Prod_EU_1', region: 'eu-west-1', roleArn: 'arn:aws:iam::111122223333:role/ciliate' } }, cilium: { version: '1.20.0', clusterId: 3 }, soakSeconds: 9 },
    });
  });
  it('turns names of EKS into names of migrations', () => expect(migrationName(`A_${'x'.repeat(70)}-`)).toMatch(/^a-x{61}$/));
});
