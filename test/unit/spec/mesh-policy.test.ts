import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { meshSchema } from '../../../domain/spec/mesh.js';
import { crossClusterPolicySchema } from '../../../domain/spec/policy.js';
import { readMesh } from '../../../starter/spec/mesh.js';
import { readPolicy } from '../../../starter/spec/policy.js';
import { SCHEMAS } from '../../../starter/spec/schemas.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const migration = (name: string, clusterName = name): string =>
  `apiVersion: ciliate.io/v1alpha1\nkind: ClusterMigration\nmetadata: {name: ${name}}\nspec:\n  cluster: {kubeconfig: ./kubeconfig}\n  cilium: {version: 1.20.0, clusterName: ${clusterName}, clusterId: 1}\n`;
const MESH = 'apiVersion: ciliate.io/v1alpha1\nkind: Mesh\nmetadata: {name: eu}\nspec: {clusters: [{file: a.yaml}, {file: b.yaml}], expose: nlb}\n';
const POLICY = `apiVersion: ciliate.io/v1alpha1
kind: CrossClusterPolicy
metadata: {name: allow}
spec:
  from: {cluster: cluster-1, namespace: my-client, labels: {app: my-client}}
  to: {cluster: cluster-2, namespace: my-server, labels: {app: my-server}, ports: [{port: 8080, protocol: TCP}]}
`;

const said = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ code: 2 });
    return (error as Error).message;
  }
  throw new Error('expected an error');
};

describe('MESH', () => {
  write('a.yaml', migration('a'));
  write('b.yaml', migration('b'));

  it('is read with its clusters, files relative to its own folder', () => {
    const mesh = readMesh(write('mesh.yaml', MESH));
    expect(mesh).toMatchObject({ name: 'eu', expose: 'nlb', clusters: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] });
    expect(mesh.clusters[0]?.spec.cluster.kubeconfig).toBe(join(folder, 'kubeconfig'));
  });

  it.each([
    ['one cluster', MESH.replace(', {file: b.yaml}', ''), /mesh\.yaml:4:\d+: spec\.clusters: expected at least two clusters/],
    ['an unknown exposure', MESH.replace('nlb', 'nlp'), /spec\.expose: expected one of nlb, nodePort \(did you mean nlb\?\), saw "nlp"/],
    ['a misspelt key in a list', MESH.replace('{file: a.yaml}', '{fil: a.yaml}'), /mesh\.yaml:4:\d+: unknown key "fil" in spec\.clusters\[0\]: did you mean file\?/],
    ['another kind, and says no more of it', migration('c'), /^\S*mesh\.yaml:2:7: kind: expected Mesh, saw "ClusterMigration"$/],
    ['a kind that is none', MESH.replace('kind: Mesh', 'kind: Mash').replace('nlb', 'nlp'), /kind: expected Mesh, saw "Mash"[^]*spec\.expose/],
    ['a file that is not there', MESH.replace('b.yaml', 'c.yaml'), /c\.yaml: no such file; -f takes the path of a ClusterMigration/],
    ['nothing', '', /expected a Mesh, saw an empty file/],
  ])('refuses %s', (_, text, message) => expect(said(() => readMesh(write('mesh.yaml', text)))).toMatch(message));

  it('refuses one cluster twice, under whatever name', () => {
    expect(said(() => readMesh(write('mesh.yaml', MESH.replace('b.yaml', 'a.yaml'))))).toMatch(/clusters\[1\]\.file: expected another metadata\.name in each file, saw a/);
    write('b2.yaml', migration('b2', 'a'));
    expect(said(() => readMesh(write('mesh.yaml', MESH.replace('b.yaml', 'b2.yaml'))))).toMatch(/expected another spec\.cilium\.clusterName in each file, saw a in that of clusters\[0\]/);
  });

  it('passes the error of a member on, with that file and line', () => {
    write('b.yaml', migration('b').replace('clusterId: 1', 'clusterId: 200'));
    expect(said(() => readMesh(write('mesh.yaml', MESH)))).toMatch(/b\.yaml:6:\d+: spec\.cilium\.clusterId: expected at most 127, saw 200/);
  });
});

describe('POLICY', () => {
  it('is read', () => {
    expect(readPolicy(write('p.yaml', POLICY), [])).toMatchObject({ kind: 'cross', policy: { spec: { to: { ports: [{ port: 8080, protocol: 'TCP' }] } } } });
  });

  it.each([
    ['no labels', POLICY.replace('{app: my-client}', '{}'), /spec\.from\.labels: expected at least one label/],
    ['a port in words', POLICY.replace('8080', 'http'), /spec\.to\.ports\[0\]\.port: expected a number, saw "http"/],
    ['a misspelt key', POLICY.replace('namespace: my-server', 'namespce: my-server'), /unknown key "namespce" in spec\.to: did you mean namespace\?/],
    ["a label of Cilium's own", POLICY.replace('{app: my-client}', '{io.cilium.k8s.policy.cluster: x}'), /expected labels of pods only/],
    ['a kind that is none', POLICY.replace('CrossClusterPolicy', 'NetworkPolicy'), /kind: expected CrossClusterPolicy, saw "NetworkPolicy"/],
  ])('refuses %s', (_, text, message) => expect(said(() => readPolicy(write('p.yaml', text), []))).toMatch(message));

  it('may be a CiliumNetworkPolicy, with its clusters named', () => {
    const file = write('cnp.yaml', 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {endpointSelector: {}, ingress: [{}]}\n');
    expect(readPolicy(file, ['c1', 'c2', 'c1'])).toMatchObject({ kind: 'plain', clusters: ['c1', 'c2'], policy: { spec: { ingress: [{}] } } });
    expect(said(() => readPolicy(file, []))).toMatch(/name the clusters with --cluster/);
    expect(said(() => readPolicy(write('p.yaml', POLICY), ['c1']))).toMatch(/leave --cluster out/);
  });
});

describe('the JSON Schemas that are shipped', () => {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
  it.each([
    ['mesh.schema.json' as const, meshSchema, { apiVersion: 'ciliate.io/v1alpha1', kind: 'Mesh', metadata: { name: 'eu' }, spec: { clusters: [{ file: 'a' }, { file: 'b' }], expose: 'nodePort' } }],
    ['crossclusterpolicy.schema.json' as const, crossClusterPolicySchema, { apiVersion: 'ciliate.io/v1alpha1', kind: 'CrossClusterPolicy', metadata: { name: 'a' }, spec: { from: { cluster: 'a', namespace: 'n', labels: { a: 'b' } }, to: { cluster: 'b', namespace: 'n', labels: { a: 'b' }, ports: [{ port: 1 }] } } }],
  ])('%s and the program both accept what is right, and refuse an unknown key', (name, schema, good) => {
    const validate = ajv.compile(SCHEMAS[name]());
    expect(validate(good), JSON.stringify(validate.errors)).toBe(true);
    expect(schema.safeParse(good).error?.issues).toBeUndefined();
    const bad = { ...good, spec: { ...good.spec, more: 1 } };
    expect(validate(bad)).toBe(false);
    expect(schema.safeParse(bad).success).toBe(false);
  });
});
