import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deniedTo } from '../../../activities/observe/index.js';
import { advise, manifestFor } from '../../../domain/advice.js';
import type { Advice } from '../../../domain/advice.js';
import type { ChartProblem } from '../../../domain/findings.js';
import type { ObservedCluster } from '../../../domain/observation.js';
import type { Plan } from '../../../domain/plan.js';
import { plan } from '../../../domain/planner.js';
import { renderAdvice } from '../../../domain/report/index.js';
import { manifestSchema } from '../../../domain/spec/schema.js';
import type { Manifest } from '../../../domain/spec/schema.js';
import { CHAIN_LIMITS, STRATEGIES } from '../../../domain/spec/words.js';
import type { Strategy } from '../../../domain/spec/words.js';
import { OUR_CILIUM, awsNode, cluster, manifest, node } from './cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: '/c.tgz' };
const VALUES: Plan['values'] = { migration: {}, enforcement: {}, final: {} };
const users = { pods: { total: 20, hostPort: [], bare: [], emptyDir: [], podEni: [], user: [{ namespace: 'shop', name: 'cart-1' }] } };
const ipv6 = { awsNode: awsNode({ env: { ENABLE_IPv6: 'true' } }) };
const fights: ChartProblem = { stage: 'values', object: 'spec.cilium.values.eni.enabled', message: 'm', todo: 't' };

interface Given {
  manifest?: Manifest;
  problems?: Partial<Record<Strategy, ChartProblem[]>>;
}

function advice(over: Partial<ObservedCluster> = {}, given: Given = {}): Advice {
  const own = given.manifest ?? manifest();
  const plans = STRATEGIES.map((strategy) => [strategy, plan(cluster(over), { manifest: manifestFor(own, strategy), chart: CHART, values: VALUES, chartProblems: given.problems?.[strategy] })]);
  return advise(Object.fromEntries(plans) as Record<Strategy, Plan>, own.spec.strategy);
}
const rowOf = (seen: Advice, strategy: Strategy) => seen.rows.find((row) => row.strategy === strategy);

describe('what we would do', () => {
  it.each<[string, Advice, Strategy | null, string]>([
    ['no user workloads: clean', advice(), 'clean', 'no user workloads'],
    ['user workloads: replace', advice(users), 'replace', 'nothing blocks it'],
    ['replace is blocked: chain', advice({ ...users, securityGroupPolicies: [{ namespace: 'shop', name: 'db' }] }), 'chain', 'security-groups-for-pods'],
    ['all are blocked: says by what', advice({ ...users, ...ipv6 }), null, 'in the way of replace: ipv6'],
    ['a half-way replace goes on, empty or not', advice({ cilium: OUR_CILIUM, nodes: [node(1), node(2), node(3, { cni: 'cilium' })] }), 'replace', 'has begun'],
    [
      'a chain that is there stays one',
      advice({ ...users, nodes: [1, 2, 3].map((index) => node(index, { cni: 'both' })), cilium: { ...OUR_CILIUM, config: { masquerade: false, prefixDelegation: null, chainingMode: 'aws-cni' } } }),
      'chain',
      'other-datapath',
    ],
    ['done: nothing', advice({ cilium: OUR_CILIUM, awsNode: null, nodes: [1, 2].map((index) => node(index, { cni: 'cilium' })) }), null, 'nothing'],
  ])('%s', (_, seen, recommended, why) => {
    expect(seen.recommended).toBe(recommended);
    expect(seen.why).toContain(why);
  });
});

describe('a row', () => {
  it('has what it costs here', () => {
    const seen = advice(users);
    expect(STRATEGIES.map((strategy) => rowOf(seen, strategy)?.cost)).toEqual([
      { nodes: 3, pods: 12, minutes: 19 },
      { nodes: 0, pods: 12, minutes: 8 },
      { nodes: 3, pods: 12, minutes: 18 },
    ]);
    expect([seen.version, seen.migration, seen.chosen]).toEqual([1, 'prod', 'replace']);
  });

  it('says what it cannot do: limits of chaining by id, and why a cluster is not clean', () => {
    const seen = advice(users);
    expect(rowOf(seen, 'replace')?.cannot).toEqual([]);
    expect(rowOf(seen, 'chain')?.cannot.map(({ id }) => id)).toEqual(CHAIN_LIMITS.filter((id) => id !== 'security-groups'));
    expect(rowOf(seen, 'chain')?.cannot[0]?.text).toMatch(/^Layer 7 .*cilium#12454/);
    expect(rowOf(seen, 'clean')?.cannot).toMatchObject([{ id: 'user-workloads', text: expect.stringContaining('1 pod outside') as string }]);
    // What blocks every way is no reason against this one.
    expect(rowOf(advice(ipv6), 'clean')?.cannot).toEqual([]);
  });

  it('counts findings by id; values that fight only one datapath block only that one', () => {
    const seen = advice(users, { problems: { chain: [fights, { ...fights, object: 'spec.cilium.values.ipam' }] } });
    expect(rowOf(seen, 'chain')).toMatchObject({ blocked: true, blockers: [{ id: 'values-fight', count: 2 }] });
    expect(rowOf(seen, 'replace')).toMatchObject({ blocked: false, blockers: [] });
    expect(renderAdvice(seen, 'table')).toContain('values-fight (2)');
  });
});

describe('the manifest of each strategy', () => {
  const own = fc.constantFrom(
    manifest(),
    manifest({ approvals: ['before-install', 'after-canary', 'before-removal'], drain: { onTimeout: 'force' } }),
    manifest({ strategy: 'clean', clean: { addOns: ['monitoring'] }, approvals: [] }),
    manifest({ strategy: 'chain', chain: { acceptLimits: ['l7'] }, approvals: ['before-enforcement'] }),
  );

  it('is one that the schema takes, and a second time the same', () => {
    fc.assert(
      fc.property(own, fc.constantFrom(...STRATEGIES), (given, strategy) => {
        const made = manifestFor(given, strategy);
        expect(manifestSchema.safeParse(JSON.parse(JSON.stringify(made))).error?.issues).toBeUndefined();
        expect(made.spec.strategy).toBe(strategy);
        expect(manifestFor(made, strategy)).toEqual(made);
      }),
    );
  });

  it('keeps what is the strategy\'s own, and drops what it refuses', () => {
    const chain = manifest({ strategy: 'chain', chain: { acceptLimits: ['l7'] } });
    expect(manifestFor(chain, 'chain').spec.chain.acceptLimits).toEqual(['l7']);
    expect(manifestFor(chain, 'replace').spec.chain.acceptLimits).toBeUndefined();
    expect(manifestFor(manifest({ strategy: 'clean', clean: { addOns: ['monitoring'] } }), 'clean').spec.clean.addOns).toEqual(['monitoring']);
    expect(manifestFor(manifest({ strategy: 'clean', clean: { addOns: ['monitoring'] } }), 'replace').spec.clean.addOns).toEqual([]);
    const gated = manifest({ approvals: ['before-install', 'after-canary', 'before-removal'] });
    expect(manifestFor(gated, 'chain').spec.approvals).toEqual(['before-install', 'after-canary']);
    expect(manifestFor(gated, 'clean').spec.approvals).toEqual(gated.spec.approvals);
    expect(manifestFor(manifest(), 'chain').spec.approvals).toBeUndefined();
  });
});

it('a right to restart that is denied counts only where pods are restarted', () => {
  const restart = { verb: 'patch', resource: 'deployments.apps' };
  const helm = { verb: 'patch', resource: 'deployments.apps', namespace: 'kube-system' };
  const scale = { verb: 'patch', resource: 'deployments/scale.apps' };
  const deniedAccess = [restart, helm, scale];
  expect(deniedTo('replace', { deniedAccess })).toEqual([helm, scale]);
  for (const strategy of ['chain', 'clean'] as const) expect(deniedTo(strategy, { deniedAccess })).toEqual(deniedAccess);
});

describe('as text', () => {
  const bad = advice({ ...users, ...ipv6, helm: null, securityGroupPolicies: [{ namespace: 'shop', name: 'db' }], nodes: [node(1)], otherNetworkAgents: ['calico-system/calico-node'], clusterAutoscaler: true });

  it.each([['good', advice()], ['bad', bad]])('%s: is readable at 120 columns, and ends with what we would do', (_, seen) => {
    const lines = renderAdvice(seen, 'table').trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
    expect(lines.slice(-2).join('\n')).toContain('What we would do: ');
    for (const strategy of STRATEGIES) expect(lines.filter((line) => line.startsWith(`  ${strategy}`)).length).toBeGreaterThanOrEqual(3);
  });

  it('marks the strategy of the spec, and says how each stands', () => {
    const text = renderAdvice(advice(users), 'table');
    expect(text).toMatch(/replace \(in the spec\) +READY +3 +12 +about 19 min/);
    expect(text).toMatch(/clean +BLOCKED by 1 finding/);
    expect(text.trimEnd().split('\n').at(-1)).toBe('What we would do: replace: nothing blocks it, and it leaves nothing of the VPC CNI.');
  });

  it('as Markdown says the same', () => {
    const text = renderAdvice(advice(users), 'markdown');
    expect(text).toContain('- **l7**: Layer 7');
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^\*\*What we would do: replace.*\*\*$/);
  });

  it('as JSON has stable keys', () => {
    const json = JSON.parse(renderAdvice(bad, 'json')) as { rows: object[] };
    expect(Object.keys(json)).toEqual(['version', 'ciliate', 'migration', 'chosen', 'recommended', 'why', 'rows']);
    for (const each of json.rows) expect(Object.keys(each)).toEqual(['strategy', 'blocked', 'mode', 'cost', 'cannot', 'blockers', 'warnings']);
  });
});
