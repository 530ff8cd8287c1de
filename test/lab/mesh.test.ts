import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomObjectsApi } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../lab/index.js';
import type { PolicyResult } from '../../domain/policy/run.js';
import type { MeshStatus } from '../../domain/mesh/run.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { labKube, realChart } from '../support/field.js';
import { killedWhile } from '../support/killing.js';
import { MeshField } from '../support/meshField.js';

const VERSION = '1.20.0';
const chart = realChart(VERSION);
if (chart === undefined) console.warn(`skipped: cluster mesh in the lab (no ../shared/charts/cilium-${VERSION}.tgz; the stand-in chart has no mesh)`);

const POLICY = `apiVersion: ciliate.io/v1alpha1
kind: CrossClusterPolicy
metadata: {name: allow-cross-cluster}
spec:
  from: {cluster: c1, namespace: my-client, labels: {app: my-client}}
  to: {cluster: c2, namespace: my-server, labels: {app: my-server}, ports: [{port: 8080, protocol: TCP}]}
`;

describe.skipIf(chart === undefined)('a mesh over two labs, nodePort', () => {
  const names = ['c1', 'c2'] as const;
  let up: MeshField;
  let before: { values: HelmValues[]; cas: (string | undefined)[] };
  let policy: string;

  beforeAll(async () => {
    up = await MeshField.up(VERSION, chart ?? '');
    before = { values: await Promise.all(names.map((name) => up.helmValues(name))), cas: await Promise.all(names.map(async (name) => (await up.secret(name, 'cilium-ca'))?.['ca.crt'])) };
    policy = join(up.field.folder, 'policy.yaml');
    writeFileSync(policy, POLICY);
    await Promise.all([up.deploy('c1', 'my-client'), up.deploy('c2', 'my-server')]);
  });
  afterAll(() => up?.down());

  const cnps = async (name: 'c1' | 'c2', namespace: string): Promise<{ metadata: { name: string; labels: Record<string, string> } }[]> =>
    ((await labKube(up.labs[name]).makeApiClient(CustomObjectsApi).listNamespacedCustomObject({ group: 'cilium.io', version: 'v2', namespace, plural: 'ciliumnetworkpolicies' })) as { items: { metadata: { name: string; labels: Record<string, string> } }[] }).items;

  /** The worker is killed once the second cluster has done what the rule names, and nobody has heard of it. */
  const killedInC2 = <T>(made: Pick<FaultRule, 'path' | 'client' | 'body'>, command: () => Promise<T>): Promise<T> =>
    killedWhile(up.field, { lab: up.labs.c2, rule: { target: 'kubernetes', method: 'POST|PATCH', phase: 'after', ...made } }, command);

  it('begins with two CAs, and no mesh', async () => {
    expect(before.cas[0]).toMatch(/BEGIN CERTIFICATE/);
    expect(before.cas[1]).not.toBe(before.cas[0]);
    const { code, out } = await up.field.ciliate('mesh', 'status', '-f', up.mesh('nodePort'), '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({ state: 'disconnected', findings: expect.arrayContaining([expect.objectContaining({ id: 'mesh-ca-rotated' }), expect.objectContaining({ id: 'mesh-security-groups' })]) as unknown });
    expect(code).toBe(1);
  });

  it('is connected, the worker killed in the middle of the second cluster; what no agent says is not claimed', async () => {
    const { code, out, err } = await killedInC2({ path: '/namespaces/kube-system/secrets', client: '[Hh]elm', body: 'sh\\.helm\\.release\\.v1\\.cilium' }, () =>
      up.field.ciliate('mesh', 'connect', '-f', up.mesh('nodePort'), '--watch', '-o', 'json'),
    );
    const status = JSON.parse(out) as MeshStatus;
    expect({ err, problem: status.problem }).toEqual({ err: '', problem: expect.stringMatching(/^could not be proven: Secrets, certificates and peers are as they must be, but 2 agents could not be asked/) as unknown });
    expect(status.state).toBe('unproven');
    expect(status.clusters.map(({ proof }) => proof?.problems)).toEqual([[], []]);
    expect(status.clusters.map(({ proof }) => proof?.agents.connected)).toEqual([0, 0]);
    // Nothing is claimed that nobody said.
    expect(code).toBe(1);
  });

  it('has one CA, the peers where they are, and values that cover both networks', async () => {
    const nodes = await Promise.all(names.map(async (name) => (await up.core(name).listNode()).items.map((node) => node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '').sort()));
    for (const [index, name] of names.entries()) {
      const peer = `cluster-${2 - index}`;
      expect((await up.secret(name, 'cilium-ca'))?.['ca.crt']).toBe(before.cas[0]);
      expect(await up.endpoints(name, peer)).toEqual([`https://${peer}.mesh.cilium.io:32379`]);
      expect(Object.keys((await up.secret(name, 'cilium-clustermesh')) ?? {})).toEqual([peer]);
      expect(await up.helmValues(name)).toMatchObject({
        ipv4NativeRoutingCIDR: '10.0.0.0/15',
        clustermesh: { useAPIServer: true, apiserver: { service: { type: 'NodePort', nodePort: 32_379 } }, config: { enabled: true, clusters: [{ name: peer, port: 32_379, ips: nodes[1 - index] }] } },
      });
      expect(await up.lease(name)).toBe(false);
      expect(await up.ledgerHasMesh(name)).toBe(true);
    }
  });

  it('stays connected when a migration is started again', async () => {
    const values = await up.helmValues('c2');
    expect(await up.field.migrate(up.specs.c2, 'c2')).toMatchObject({ state: 'done', problem: null });
    expect(await up.helmValues('c2')).toEqual(values);
  });

  it('takes a policy on both sides, the worker killed in the middle, shows what it does, and does not say that it works', async () => {
    const dry = await up.field.ciliate('policy', 'apply', '-f', policy, '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(dry.out).toMatch(/\+endpointSelector:/);
    expect(dry.out).toContain('2 pods of my-client lose every egress but to cluster-2/my-server (app=my-server) on TCP 8080; to cluster-1/kube-system');
    expect(await cnps('c1', 'my-client')).toEqual([]);

    const applied = await killedInC2({ path: '/ciliumnetworkpolicies/(?!.*dryRun)' }, () => up.field.ciliate('policy', 'apply', '-f', policy, '-o', 'json'));
    expect(applied.err).toBe('');
    // The second had it when the next worker looked.
    expect((JSON.parse(applied.out) as PolicyResult).clusters.map(({ done, findings }) => ({ done, findings }))).toEqual([{ done: 'applied', findings: [] }, { done: 'unchanged', findings: [] }]);
    expect(applied.code).toBe(0);
    expect((await cnps('c1', 'my-client')).map(({ metadata }) => metadata.name)).toEqual(['allow-cross-cluster-egress']);
    expect((await cnps('c2', 'my-server')).map(({ metadata }) => metadata.labels['app.kubernetes.io/managed-by'])).toEqual(['ciliate']);
    expect((await up.field.ciliate('policy', 'apply', '-f', policy)).out).toMatch(/: unchanged/);

    const verified = await up.field.ciliate('policy', 'verify', '-f', policy, '--timeout', '20', '-o', 'json');
    expect(JSON.parse(verified.out)).toMatchObject({ state: 'unproven', problem: expect.stringMatching(/^could not be probed/) as unknown, paths: [{ verdict: 'unproven', why: 'the probe pod gave no result: it could not run' }, {}, {}] });
    expect(verified.code).toBe(1);

    expect(await up.field.ciliate('policy', 'remove', '-f', policy)).toMatchObject({ code: 0, err: '' });
    expect([...(await cnps('c1', 'my-client')), ...(await cnps('c2', 'my-server'))]).toEqual([]);
  });

  it('a policy of a cluster that nobody knows is refused', async () => {
    const other = join(up.field.folder, 'other.yaml');
    writeFileSync(other, POLICY.replace('cluster: c2', 'cluster: c9'));
    expect(await up.field.ciliate('policy', 'apply', '-f', other)).toMatchObject({ code: 1, err: expect.stringMatching(/^cluster c9: Temporal .* knows neither a migration/) as unknown });
  });

  it('is disconnected: values, CA and Secrets as before', async () => {
    const { code, out } = await up.field.ciliate('mesh', 'disconnect', '-f', up.mesh('nodePort'), '--watch', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({ state: 'disconnected', problem: null });
    expect(code).toBe(0);
    expect(await Promise.all(names.map((name) => up.helmValues(name)))).toEqual(before.values);
    for (const [index, name] of names.entries()) {
      expect((await up.secret(name, 'cilium-ca'))?.['ca.crt']).toBe(before.cas[index]);
      for (const secret of ['cilium-clustermesh', 'cilium-kvstoremesh', 'clustermesh-apiserver-server-cert', 'ciliate-mesh-ca']) expect([secret, await up.secret(name, secret)]).toEqual([secret, undefined]);
      expect([await up.lease(name), await up.ledgerHasMesh(name)]).toEqual([false, false]);
    }
  });
});
