import { describe, expect, it } from 'vitest';
import { datapathOf } from '../../../domain/cilium/datapaths/index.js';
import { agentAffinity, assertRendered } from '../../../domain/cilium/rendered.js';
import { ciliumValues, fightingKeys } from '../../../domain/cilium/values.js';
import type { ValuesInput, ValuesPhase } from '../../../domain/cilium/values.js';
import { merge, nested } from '../../../domain/cilium/valueTree.js';
import type { HelmValue } from '../../../domain/cilium/valueTree.js';
import { matchesNode } from '../../../domain/kubernetes/nodeAffinity.js';
import type { HelmValues } from '../../../domain/spec/schema.js';
import { CAN_RENDER, REAL_CHARTS, VERSIONS, input, render, thorough } from './fixtures.js';

const PHASES: ValuesPhase[] = ['migration', 'enforcement', 'final', 'rollback'];
const chained = (version: string, phase: ValuesPhase, extra: Parameters<typeof input>[2] = {}): ValuesInput => ({ ...input(version, phase, extra), strategy: 'chain' });
const minorOf = (version: string): number => Number(version.split('.')[1]);
const node = (labels: Record<string, string>) => ({ name: 'n', labels: { 'kubernetes.io/os': 'linux', ...labels } });

describe.each(VERSIONS)('values of %s', (version) => {
  it('chain on the VPC CNI, and say nothing of ENI mode', () => {
    const values = ciliumValues(chained(version, 'migration'));
    expect(values).toMatchObject({ cni: { chainingMode: 'aws-cni', exclusive: false }, enableIPv4Masquerade: false, endpointRoutes: { enabled: true }, policyEnforcementMode: 'never' });
    for (const key of ['eni.enabled', 'ipam', 'egressMasqueradeInterfaces']) expect(values).not.toHaveProperty(key);
  });

  it('of a user fight only the way that they are for', () => {
    const paths = (values: HelmValues, strategy: 'chain' | 'replace' | 'clean') => fightingKeys(values, { version, strategy }).map(({ path }) => path);
    const eni: HelmValues = { eni: { enabled: true }, ipam: { mode: 'eni' }, cni: { chainingMode: 'portmap' } };
    expect(paths(eni, 'chain')).toEqual(['eni', 'ipam', 'cni.chainingMode']);
    expect([paths(eni, 'replace'), paths(eni, 'clean')]).toEqual([[], []]);
    const chain: HelmValues = { cni: { chainingMode: 'aws-cni', exclusive: false } };
    expect(paths(chain, 'chain')).toEqual([]);
    expect(paths(chain, 'replace')).toEqual(['cni.chainingMode']);
  });
});

it('keys that fight every way say why in words of the one that is meant', () => {
  const whys = (strategy: 'chain' | 'replace'): string[] =>
    [...Object.keys(datapathOf({ strategy: 'chain' }).reasons), 'routingMode'].map((path) => {
      const value = path === 'ipv6.enabled' ? true : path.endsWith('.restart') ? true : path === 'nodeinit.enabled' || path.startsWith('standalone') ? true : false;
      const found = fightingKeys(nested(path, value), { version: '1.20.0', strategy });
      expect(found.map((key) => key.path), path).toContain(path);
      return found.find((key) => key.path === path)?.why ?? '';
    });
  const chain = whys('chain');
  // What a chain says is no word of ENI mode, of nodes that only aws-node runs on, or of ones that are migrated.
  expect(chain.filter((why) => /ENI mode|aws-node|migrated|from spec\.cilium/.test(why))).toEqual([]);
  expect(whys('replace').filter((why, index) => why === chain[index])).toEqual([chain.at(-1)]);
});

describe.skipIf(!CAN_RENDER).each(REAL_CHARTS)('real chart $version, chained', ({ version, path }) => {
  it.each(PHASES)('%s renders to what the phase needs', async (phase) => {
    const given = chained(version, phase);
    expect(assertRendered(await render(path, ciliumValues(given)), given)).toEqual([]);
  });

  it('takes values of the user', async () => {
    const values: HelmValues = { policyEnforcementMode: 'always', encryption: { enabled: true, type: 'wireguard' }, hubble: { relay: { enabled: true } } };
    const given = chained(version, 'migration', { values });
    expect(fightingKeys(values, { version, strategy: 'chain' })).toEqual([]);
    expect(assertRendered(await render(path, ciliumValues(given)), given)).toEqual([]);
  });

  it('puts an agent on the nodes of aws-node, labelled or not', async () => {
    const placed = agentAffinity(await render(path, ciliumValues(chained(version, 'migration'))));
    const wants = (labels: Record<string, string>) => matchesNode(placed?.affinity, placed?.nodeSelector, node(labels));
    expect([wants({}), wants({ 'cni-plugin': 'aws' }), wants({ 'eks.amazonaws.com/compute-type': 'fargate' })]).toEqual([true, true, false]);
  });

  it('on the way back puts one only on marked nodes, whatever else they are labelled; and an agent that goes elsewhere is found', async () => {
    const back = chained(version, 'rollback');
    const placed = agentAffinity(await render(path, ciliumValues(back)));
    const wants = (labels: Record<string, string>) => matchesNode(placed?.affinity, placed?.nodeSelector, node(labels));
    expect([wants({}), wants({ 'ciliate.io/cni': 'cilium' }), wants({ 'ciliate.io/cni': 'cilium', 'cni-plugin': 'aws' })]).toEqual([false, true, true]);
    const open = await render(path, ciliumValues(chained(version, 'migration')));
    expect(assertRendered(open, back).map(({ expected }) => expected)).toContain('ciliate.io/cni In [cilium] in every required term');
    expect(assertRendered(await render(path, ciliumValues(back)), chained(version, 'migration'))).not.toEqual([]);
  });

  it('finds the manifests of the other way, both ways round', async () => {
    const objects = (findings: { object: string }[]) => findings.map(({ object }) => object).join('\n');
    const asEni = objects(assertRendered(await render(path, ciliumValues(input(version, 'migration'))), chained(version, 'migration')));
    for (const key of ['cni-chaining-mode', 'ipam', 'enable-ipv4-masquerade']) expect(asEni).toContain(`key ${key}`);
    expect(asEni).toContain('image');
    expect(asEni).toContain('node affinity');
    const asChain = objects(assertRendered(await render(path, ciliumValues(chained(version, 'migration'))), input(version, 'migration')));
    expect(asChain).toContain('key ipam');
    expect(asChain).toContain('node affinity');
  });

  const broken: [string, HelmValue][] = [
    // 1.12 says no such thing to its agents.
    ...(minorOf(version) < 15 ? [] : ([['cni.exclusive', true]] as [string, HelmValue][])),
    ['enableIPv4Masquerade', true],
    ['cni.chainingMode', 'none'],
    ['cni.chainingMode', 'generic-veth'],
    ['eni.enabled', true],
    ['ipam.mode', 'kubernetes'],
    ['endpointRoutes.enabled', false],
    // Its type is ipsec where none is said.
    ['encryption.enabled', true],
    ['policyEnforcementMode', 'default'],
    ['operator.unmanagedPodWatcher.restart', true],
  ];
  it.skipIf(!thorough(version)).each(broken)('finds %s = %j', async (where, value) => {
    const given = chained(version, 'migration');
    const findings = await render(path, merge(ciliumValues(given), nested(where, value))).then(
      (objects) => assertRendered(objects, given).map(({ object }) => object),
      (error: Error) => [error.message],
    );
    expect(findings).not.toEqual([]);
  });
});
