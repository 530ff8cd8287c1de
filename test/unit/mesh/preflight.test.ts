import { describe, expect, it } from 'vitest';
import type { MeshMember } from '../../../domain/mesh/observed.js';
import { closedOpenings } from '../../../domain/mesh/openings.js';
import { caSource, checkMesh, nativeCidrFor } from '../../../domain/mesh/preflight.js';
import { meshVerdict } from '../../../domain/mesh/run.js';
import type { MeshProof } from '../../../domain/mesh/run.js';
import { agentConnected } from '../../../domain/mesh/agentStatus.js';
import type { Exposure } from '../../../domain/spec/mesh.js';

const ALL = [{ protocol: '-1', from: null, to: null, cidrs: ['10.0.0.0/8'], references: [] }];

function member(id: number, rest: Partial<MeshMember> = {}): MeshMember {
  const name = `c${id}`;
  return {
    name,
    wanted: { clusterName: name, clusterId: id, version: '1.20.0' },
    uid: `uid-${id}`,
    config: { 'cluster-name': name, 'cluster-id': String(id), 'enable-ipv4-masquerade': 'true', 'max-connected-clusters': '255' },
    release: { chartVersion: '1.20.0', status: 'deployed', ours: true, values: {} },
    agents: { desired: 2, ready: 2 },
    awsNodes: 0,
    ca: 'same',
    mesh: null,
    vpcCidrs: [`10.${id}.0.0/16`],
    securityGroups: [{ id: `sg-${id}`, rules: ALL }],
    loadBalancerController: true,
    ...rest,
  };
}
const config = (id: number, rest: Record<string, string>): Partial<MeshMember> => ({ config: { ...member(id).config, ...rest } });
const release = (rest: Partial<NonNullable<MeshMember['release']>>): Partial<MeshMember> => ({ release: { chartVersion: '1.20.0', status: 'deployed', ours: true, values: {}, ...rest } });
const check = (members: MeshMember[], expose: Exposure = 'nlb', mesh = 'eu') => checkMesh({ mesh, expose, members });
const found = (members: MeshMember[], expose?: Exposure) => check(members, expose).map(({ id, severity }) => `${severity} ${id}`);

describe('preflight of a mesh', () => {
  it('finds nothing where all is well, of three clusters too', () => {
    expect(check([member(1), member(2)])).toEqual([]);
    expect(check([member(1), member(2), member(3)], 'nodePort')).toEqual([]);
    expect(check([member(1, { mesh: 'eu' }), member(2, { mesh: 'eu' })])).toEqual([]);
  });

  it.each<[string, Partial<MeshMember>, string[]]>([
    ['the same cluster twice', { uid: 'uid-1' }, ['blocker mesh-same-cluster']],
    ['no Cilium', { config: null, release: null }, ['blocker mesh-no-cilium']],
    ["somebody else's release", release({ ours: false }), ['blocker mesh-foreign-release']],
    ['aws-node is still there', { awsNodes: 3 }, ['blocker mesh-half-way']],
    ['another name than its file says', config(2, { 'cluster-name': 'x' }), ['blocker mesh-name-differs']],
    ['the name default', { ...config(2, { 'cluster-name': 'default' }), wanted: { clusterName: 'default', clusterId: 2, version: '1.20.0' } }, ['blocker mesh-name-default']],
    ['no id', config(2, { 'cluster-id': '0' }), ['blocker mesh-id-range']],
    ['an id that ENI mode refuses', config(2, { 'cluster-id': '200' }), ['blocker mesh-id-range']],
    ['an id twice', config(2, { 'cluster-id': '1' }), ['blocker mesh-id-twice']],
    ['another limit of clusters', config(2, { 'max-connected-clusters': '511' }), ['blocker mesh-max-clusters']],
    ['another minor', { ...release({ chartVersion: '1.19.6' }), wanted: { clusterName: 'c2', clusterId: 2, version: '1.19.6' } }, ['blocker mesh-minor']],
    ['another version than its file says', release({ chartVersion: '1.20.1' }), ['blocker mesh-version-differs']],
    ['another mesh', { mesh: 'us' }, ['blocker mesh-other']],
    ['another CA', { ca: 'other' }, ['warning mesh-ca-rotated']],
    ['another CA, in values', { ca: 'other', ...release({ values: { tls: { ca: { cert: 'x' } } } }) }, ['blocker mesh-ca-in-values']],
    ['no CA', { ca: null }, []],
    ['certificates of cert-manager', release({ values: { clustermesh: { apiserver: { tls: { auto: { method: 'certmanager' } } } } } }), ['blocker mesh-certificates']],
    ['networks that overlap', { vpcCidrs: ['10.1.128.0/17'] }, ['blocker mesh-cidr-overlap']],
    ['a native routing CIDR of its own that is too narrow', release({ values: { ipv4NativeRoutingCIDR: '10.2.0.0/16' } }), ['blocker mesh-native-cidr']],
    ['a native routing CIDR of its own that is wide enough', release({ values: { ipv4NativeRoutingCIDR: '10.0.0.0/8' } }), []],
    ['security groups that are closed', { securityGroups: [{ id: 'sg', rules: [] }] }, ['warning mesh-security-groups']],
    ['security groups that cannot be read', { securityGroups: null }, ['warning mesh-security-groups-unread']],
    ['no load balancer controller', { loadBalancerController: false }, ['warning mesh-no-controller']],
  ])('%s', (_, rest, expected) => {
    expect([...new Set(found([member(1), member(2, rest)]))]).toEqual(expected);
  });

  it('before 1.14 is too old', () => {
    const old = { ...release({ chartVersion: '1.13.18' }), wanted: { clusterName: 'x', clusterId: 1, version: '1.13.18' } };
    expect(found([member(1, { ...old, wanted: { ...old.wanted, clusterName: 'c1' } }), member(2, { ...old, wanted: { ...old.wanted, clusterName: 'c2' } })])).toEqual(['blocker mesh-old']);
  });

  it('networks that only the whole internet covers need a word of the user, where somebody masquerades', () => {
    const far = [member(1), member(2, { vpcCidrs: ['192.168.0.0/16'] })];
    expect(found(far).filter((line) => line.includes('native'))).toEqual(['blocker mesh-native-cidr', 'blocker mesh-native-cidr']);
    const without = far.map((one) => ({ ...one, config: { ...one.config, 'enable-ipv4-masquerade': 'false' } }));
    expect(found(without).filter((line) => line.includes('native'))).toEqual([]);
  });

  it('a node port needs no controller', () => expect(found([member(1), member(2, { loadBalancerController: false })], 'nodePort')).toEqual([]));

  it('takes the CA of the first cluster that has one, and a network that covers all', () => {
    const members = [member(4, { ca: null }), member(5), member(6)];
    expect(caSource(members)?.name).toBe('c5');
    expect(members.map((one) => nativeCidrFor(one, members))).toEqual(['10.4.0.0/14', '10.4.0.0/14', '10.4.0.0/14']);
  });
});

describe('security groups', () => {
  const rule = (protocol: string, from: number | null, to: number | null, rest = {}) => ({ protocol, from, to, cidrs: ['10.1.0.0/16'], references: [], ...rest });
  const what = (rules: Parameters<typeof closedOpenings>[0], expose: Exposure = 'nlb') => closedOpenings(rules, ['10.1.0.0/16'], expose).map(({ what: name, verdict }) => `${verdict} ${name.split(' (')[0]}`);

  it('everything is missing without rules', () => expect(what([])).toEqual(['missing TCP 2379', 'missing TCP 4240', 'missing ICMP echo', 'missing every port of pods']));
  it('one rule for all is enough', () => expect(what([rule('-1', null, null)])).toEqual([]));
  it('ranges and the port of the exposure count', () => {
    expect(what([rule('tcp', 2000, 5000), rule('icmp', -1, -1)])).toEqual(['missing every port of pods']);
    expect(what([rule('tcp', 2000, 5000), rule('icmp', 8, 0)], 'nodePort')).toEqual(['missing TCP 32379', 'missing every port of pods']);
  });
  it('a narrower network is not enough', () => expect(what([rule('-1', null, null, { cidrs: ['10.1.0.0/17'] })])).toHaveLength(4));
  it('a rule that names a group may do', () => expect(what([rule('-1', null, null, { cidrs: [], references: ['sg-peer'] })])[0]).toBe('unknown TCP 2379'));
});

describe('what agents say', () => {
  const status = (clusters: object[]): string => JSON.stringify({ cilium: { state: 'Ok' }, 'cluster-mesh': { clusters } });
  it.each<[string, string, boolean | undefined]>([
    ['ready', status([{ name: 'c2', ready: true, connected: true }]), true],
    ['another peer only', status([{ name: 'c3', ready: true }]), false],
    ['not ready', status([{ name: 'c2', ready: false, connected: true }]), false],
    ['no mesh', JSON.stringify({ cilium: {} }), false],
    ['no status', '', undefined],
    ['an error of the shell', '{"message": "no such file"}', undefined],
  ])('%s', (_, text, connected) => expect(agentConnected(text, ['c2'])?.connected).toBe(connected));

  const proof = (asked: number, connected: number, silent: number, problems: string[] = []): MeshProof => ({ proofs: [], problems, agents: { asked, connected, silent, why: null } });
  it.each<[string, MeshProof[], string]>([
    ['all connected', [proof(2, 2, 0), proof(1, 1, 0)], 'connected'],
    ['one silent', [proof(2, 1, 1), proof(1, 1, 0)], 'unproven'],
    ['no agent at all', [proof(0, 0, 0)], 'unproven'],
    ['none', [], 'unproven'],
    ['one not connected', [proof(2, 1, 0), proof(1, 1, 0)], 'failed'],
    ['a Secret is wrong', [proof(2, 2, 0, ['x'])], 'failed'],
  ])('%s', (_, proofs, verdict) => expect(meshVerdict(proofs)).toBe(verdict));
});
