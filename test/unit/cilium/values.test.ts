import { describe, expect, it } from 'vitest';
import { chartProfile, CHART_PROFILES } from '../../../domain/cilium/charts/index.js';
import { valuesFacts } from '../../../domain/cilium/facts.js';
import { ciliumValues, fightingKeys } from '../../../domain/cilium/values.js';
import { at, merge, nested } from '../../../domain/cilium/valueTree.js';
import type { ObservedCluster } from '../../../domain/observation.js';
import { PHASES, VERSIONS, input } from './fixtures.js';

const minorOf = (version: string): number => Number(version.split('.')[1]);

describe('charts', () => {
  it('cover 1.12 to 1.20 without gap or overlap', () => {
    const minors = CHART_PROFILES.flatMap(({ minors: [first, last] }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
    expect(minors).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20]);
  });

  it.each(['1.11.0', '1.21.0', '2.0.0', 'x'])('know nothing of %s', (version) => expect(() => chartProfile(version)).toThrow(/1\.12\.0 to 1\.20/));
});

describe.each(VERSIONS)('values of %s', (version) => {
  const migration = ciliumValues(input(version, 'migration'));
  const terms = (path: string, values = migration) =>
    (at(values, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`) as { matchExpressions: { key: string }[] }[] | undefined)?.map(
      ({ matchExpressions }) => matchExpressions.map(({ key }) => key),
    );

  it('speak the routing of the version, and only that', () => {
    const tunnelled = minorOf(version) < 14;
    expect([migration['tunnel'], migration['routingMode']]).toEqual(tunnelled ? ['disabled', undefined] : [undefined, 'native']);
    expect(migration['kubeProxyReplacement']).toBe(tunnelled ? 'disabled' : 'false');
  });

  it('guard agent and Envoy while aws-node exists', () => {
    expect(terms('affinity')).toEqual([['cni-plugin', 'eks.amazonaws.com/compute-type']]);
    expect(terms('envoy.affinity')).toEqual(minorOf(version) < 14 ? undefined : [['cilium.io/no-schedule', 'cni-plugin', 'eks.amazonaws.com/compute-type']]);
    expect(terms('affinity', ciliumValues(input(version, 'enforcement')))).toEqual(terms('affinity'));
    expect(terms('affinity', ciliumValues(input(version, 'final')))).toEqual([['eks.amazonaws.com/compute-type']]);
  });

  it('enforce nothing and delete no CoreDNS pod during the migration', () => {
    expect(migration['policyEnforcementMode']).toBe('never');
    expect(at(migration, 'operator.unmanagedPodWatcher.restart')).toBe(false);
    for (const phase of ['enforcement', 'final'] as const) {
      expect(ciliumValues(input(version, phase))['policyEnforcementMode']).toBe('default');
      expect(ciliumValues(input(version, phase, { values: { policyEnforcementMode: 'always' } }))['policyEnforcementMode']).toBe('always');
      expect(at(ciliumValues(input(version, phase)), 'operator.unmanagedPodWatcher.restart')).toBe(true);
    }
  });

  it('say masquerade, id and name, whatever the chart thinks by itself', () => {
    for (const phase of PHASES) {
      const values = ciliumValues(input(version, phase, { facts: { masquerade: { enabled: false, interfaces: 'eth0' } } }));
      expect(values['enableIPv4Masquerade']).toBe(false);
      expect(values).not.toHaveProperty('egressMasqueradeInterfaces');
      expect(values['cluster']).toEqual({ name: 'prod-eu-1', id: 1 });
    }
  });

  it('keep the operator off a cordon, but on tainted groups; older charts get their own default back at the end', () => {
    const facts = { operatorTaintKeys: ['dedicated'] };
    const keys = (at(ciliumValues(input(version, 'migration', { facts })), 'operator.tolerations') as { key?: string }[]).map(({ key }) => key);
    expect(keys).toContain('dedicated');
    expect(keys).toContain('node.cilium.io/agent-not-ready');
    expect(keys).not.toContain(undefined);
    const final = at(ciliumValues(input(version, 'final', { facts })), 'operator.tolerations');
    if (minorOf(version) < 18) expect(final).toBeUndefined();
    else expect(final).toContainEqual({ key: 'dedicated', operator: 'Exists' });
  });

  it('keep what the user says elsewhere, merging maps and replacing lists', () => {
    const values = { eni: { iamRole: 'arn', subnetIDsFilter: ['a'] }, operator: { prometheus: { enabled: false }, replicas: 3 }, podLabels: { a: 'b' } };
    expect(fightingKeys(values, { version })).toEqual([]);
    const merged = ciliumValues(input(version, 'migration', { values }));
    expect(merged['podLabels']).toEqual({ a: 'b' });
    expect(at(merged, 'eni.iamRole')).toBe('arn');
    expect(at(merged, 'eni.enabled')).toBe(true);
    expect(at(merged, 'operator.replicas')).toBe(3);
    expect(at(ciliumValues(input(version, 'migration', { values, facts: { operatorReplicas: 1 } })), 'operator.replicas')).toBe(1);
  });

  it('are what fightingKeys would let pass, but for what comes from elsewhere in the spec', () => {
    for (const phase of PHASES) {
      const paths = fightingKeys(ciliumValues(input(version, phase)), { version }).map(({ path }) => path);
      const expected = ['cluster', 'enableIPv4Masquerade', 'egressMasqueradeInterfaces', 'upgradeCompatibility', 'affinity', 'envoy.affinity'];
      expect(paths.filter((path) => !expected.includes(path) && path !== 'operator.unmanagedPodWatcher.restart')).toEqual([]);
    }
  });
});

describe('fightingKeys', () => {
  const cases: [string, Parameters<typeof nested>[1], string?][] = [
    ['affinity', {}],
    ['envoy.affinity', {}],
    ['ipam.mode', 'cluster-pool'],
    ['eni.enabled', false],
    ['tunnel', 'vxlan'],
    ['tunnel', 'disabled'],
    ['routingMode', 'tunnel'],
    ['policyEnforcementMode', 'sometimes'],
    ['cni.chainingMode', 'aws-cni'],
    ['cni.chainingTarget', 'aws-cni'],
    ['cluster', { name: 'x' }],
    ['operator.unmanagedPodWatcher.restart', true],
    ['operator.tolerations', [{ operator: 'Exists' }]],
    ['operator.replicas', 0],
    ['nodeinit.enabled', true],
    ['preflight.enabled', true],
    ['enableIPv4Masquerade', true],
    ['kubeProxyReplacement', true],
    ['kubeProxyReplacement', 'strict'],
    ['upgradeCompatibility', '1.12'],
    ['nodeSelector', { pool: 'a' }],
    ['tolerations', []],
    ['encryption.strictMode', { enabled: true }],
    ['encryption.strictMode', { egress: { enabled: true } }],
    ['bpf.masquerade', true],
    ['ipv6.enabled', true],
    ['operator', null],
    ['eni', []],
  ];
  it.each(cases)('names %s = %j', (path, value) => {
    const [found, ...more] = fightingKeys(nested(path, value), { version: '1.18.12' });
    expect(found?.path).toBe(path);
    expect(found?.why.length).toBeGreaterThan(10);
    expect(more).toEqual([]);
  });

  it.each([
    ['policyEnforcementMode', 'always'],
    ['routingMode', 'native'],
    ['cni.chainingMode', 'portmap'],
    ['nodeSelector', { 'kubernetes.io/os': 'linux' }],
    ['operator.unmanagedPodWatcher', { restart: false, intervalSeconds: 30 }],
    ['hubble.relay.enabled', true],
    ['encryption.strictMode', { enabled: false }],
    ['kubeProxyReplacement', 'false'],
  ] as [string, Parameters<typeof nested>[1]][])('lets %s = %j pass', (path, value) => expect(fightingKeys(nested(path, value), { version: '1.18.12' })).toEqual([]));

  it('knows what each version calls routing', () => {
    expect(fightingKeys({ tunnel: 'disabled' }, { version: '1.12.4' })).toEqual([]);
    expect(fightingKeys({ routingMode: 'native' }, { version: '1.12.4' }).map(({ path }) => path)).toEqual(['routingMode']);
    expect(fightingKeys({ tunnel: 'disabled' }, { version: '1.20.0' })[0]?.why).toMatch(/removed in chart 1\.15/);
  });

  it('says nothing of empty values', () => expect(fightingKeys({}, { version: '1.20.0' })).toEqual([]));
});

describe('merge', () => {
  it('merges maps, replaces lists and anything else', () => {
    expect(merge({ a: { b: 1, c: [1, 2] }, d: null }, { a: { c: [3] }, d: { e: 1 } })).toEqual({ a: { b: 1, c: [3] }, d: { e: 1 } });
  });
});

describe('valuesFacts', () => {
  const node = (taints: string[], leftOut?: 'fargate') => ({ taints: taints.map((key) => ({ key, effect: 'NoSchedule' })), ...(leftOut === undefined ? {} : { leftOut }) });
  const observed = (extra: object): ObservedCluster =>
    ({ nodes: [node([])], nodePools: [], eks: null, cilium: null, awsNode: { env: {} }, ...extra }) as unknown as ObservedCluster;
  const decision = { enabled: true, interfaces: 'eth0', why: '' };

  it('takes one operator on one node, two on more', () => {
    expect(valuesFacts(observed({}), decision).operatorReplicas).toBe(1);
    expect(valuesFacts(observed({ nodes: [node([]), node([])] }), decision).operatorReplicas).toBe(2);
    expect(valuesFacts(observed({ nodes: [node([]), node([], 'fargate')] }), decision).operatorReplicas).toBe(1);
  });

  it('tolerates the taints of groups, not those of a node on its way out', () => {
    const nodes = [node(['dedicated', 'node.kubernetes.io/unschedulable', 'node.cilium.io/agent-not-ready']), node(['ToBeDeletedByClusterAutoscaler'])];
    const eks = { nodegroups: [{ taints: [{ key: 'gpu', effect: 'NO_SCHEDULE' }] }] };
    const nodePools = [{ taints: [{ key: 'batch', effect: 'NoSchedule' }] }];
    expect(valuesFacts(observed({ nodes, eks, nodePools }), decision).operatorTaintKeys).toEqual(['batch', 'dedicated', 'gpu']);
  });

  it('keeps what aws-node did: prefixes', () => {
    const facts = valuesFacts(observed({ awsNode: { env: { ENABLE_PREFIX_DELEGATION: 'true' } } }), decision);
    expect([facts.prefixDelegation, facts.masquerade]).toEqual([true, { enabled: true, interfaces: 'eth0' }]);
  });

  it('knows the minor that is installed already', () => {
    const release = { chartVersion: '1.18.12', revision: 1, status: 'deployed', ours: true };
    expect(valuesFacts(observed({ cilium: { release, config: null } }), decision).firstMinor).toBe('1.18');
    expect(valuesFacts(observed({}), decision).firstMinor).toBeUndefined();
  });
});
