import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directionsOf, networkPolicyMeanings } from '../../../domain/policy/networkPolicies.js';
import type { ObservedNetworkPolicy, PolicyReportInput } from '../../../domain/policy/networkPolicies.js';
import { renderMeanings } from '../../../domain/policy/networkPoliciesText.js';

const pods = [
  { namespace: 'shop', name: 'cart-1', labels: { app: 'cart' } },
  { namespace: 'shop', name: 'cart-2', labels: { app: 'cart' } },
  { namespace: 'other', name: 'cart-3', labels: { app: 'cart' } },
];
const policy = (name: string, rest: Partial<ObservedNetworkPolicy> = {}): ObservedNetworkPolicy => ({ namespace: 'shop', name, podSelector: { matchLabels: { app: 'cart' } }, ...rest });
const report = (rest: Partial<PolicyReportInput>) => networkPolicyMeanings({ policies: [policy('a')], pods, enforcedBefore: false, enforcement: null, ...rest });

describe('what a NetworkPolicy means under Cilium', () => {
  it('had no effect and will have one, where the VPC CNI does not enforce', () => {
    expect(report({})).toEqual([
      {
        namespace: 'shop',
        name: 'a',
        directions: ['ingress'],
        pods: 2,
        change: 'takes-effect',
        before: 'no effect: the VPC CNI does not enforce policies here',
        after: 'once Cilium enforces: ingress that no policy allows is dropped',
        notes: [],
      },
    ]);
  });

  it.each([
    [true, 'stays'],
    [null, 'unknown'],
  ] as const)('enforced before: %s is "%s"', (enforcedBefore, change) => {
    expect(report({ enforcedBefore })[0]?.change).toBe(change);
  });

  it('selects nothing: no effect either way', () => {
    expect(report({ policies: [policy('a', { podSelector: { matchLabels: { app: 'gone' } } })] })[0]).toMatchObject({ change: 'selects-nothing', pods: 0 });
  });

  it('an empty selector is every pod of its namespace', () => {
    expect(report({ policies: [policy('a', { podSelector: {} })] })[0]?.pods).toBe(2);
  });

  it.each([
    [{}, ['ingress']],
    [{ egress: [] }, ['ingress', 'egress']],
    [{ policyTypes: ['Egress'], egress: [] }, ['egress']],
  ])('directions of %j are %j', (rest, directions) => expect(directionsOf(policy('a', rest))).toEqual(directions));

  it('says where Cilium reads it otherwise', () => {
    const [{ notes, after }] = report({
      enforcement: 'never',
      policies: [policy('a', { policyTypes: ['Egress'], egress: [{ peers: [{ ipBlock: { cidr: '10.0.0.0/16' }, selects: false }, { selects: true }], ports: [{ protocol: 'SCTP', port: 9 }] }] })],
    }) as [ReturnType<typeof report>[number]];
    expect(notes.map((note) => note.split(':')[0])).toEqual(['ipBlock 10.0.0.0/16', 'selectors of peers', 'SCTP needs the Helm value sctp.enabled', 'no rule of it allows port 53']);
    expect(after).toMatch(/^not enforced yet/);
  });

  it('those that begin to have an effect come first, each exactly once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,4}$/), app: fc.constantFrom('cart', 'gone') }), { selector: ({ name }) => name }), (wanted) => {
        const meanings = report({ policies: wanted.map(({ name, app }) => policy(name, { podSelector: { matchLabels: { app } } })) });
        expect(meanings.map(({ name }) => name).sort()).toEqual(wanted.map(({ name }) => name).sort());
        expect(meanings.map(({ change }) => change)).toEqual([...meanings.map(({ change }) => change)].sort((a, b) => (a === b ? 0 : a === 'takes-effect' ? -1 : 1)));
      }),
    );
  });

  it('is told as text and as stable JSON', () => {
    expect(renderMeanings('prod', report({}), 'table')).toMatch(/1 NetworkPolicy had no effect, will have one under Cilium:\n {2}shop\/a \(2 pods\)/);
    expect(JSON.parse(renderMeanings('prod', report({}), 'json'))).toMatchObject({ version: 1, migration: 'prod', policies: [{ name: 'a' }] });
    expect(renderMeanings('prod', [], 'table')).toBe('prod: no NetworkPolicy is there\n');
  });
});
