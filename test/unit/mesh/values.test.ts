import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderChart } from '../../../activities/helm/render.js';
import type { KubeObject } from '../../../domain/cilium/objects.js';
import { ciliumValues } from '../../../domain/cilium/values.js';
import { minor } from '../../../domain/cilium/charts/index.js';
import { leavesOf, withLeaves } from '../../../domain/mesh/leaves.js';
import { FIRST_MINOR, meshValues } from '../../../domain/mesh/values.js';
import { CAN_RENDER, REAL_CHARTS, input } from '../cilium/fixtures.js';

const CHARTS = REAL_CHARTS.filter(({ version }) => minor(version) >= FIRST_MINOR);
const HOST = 'mesh-1.elb.eu-west-1.amazonaws.com';
const decoded = (object: KubeObject | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
const find = (objects: KubeObject[], kind: string, name: string): KubeObject | undefined => objects.find((object) => object.kind === kind && object.metadata.name === name);

describe.skipIf(!CAN_RENDER).each(CHARTS)('the values of a mesh on real chart $version', ({ version, path }) => {
  const base = ciliumValues(input(version, 'final'));
  const render = (wanted: Parameters<typeof meshValues>[0]) => renderChart({ path }, withLeaves(base, leavesOf(meshValues(wanted))), { kubeVersion: 'v1.33.0' });
  const peers = [{ name: 'c3', port: 32_379, ips: ['10.3.0.1'] }, { name: 'c2', port: 2_379, hostname: 'mesh-2.elb.eu-west-1.amazonaws.com' }];

  it('name this cluster in its certificate, and the peers where they are', async () => {
    const objects = await render({ expose: 'nlb', ownNames: [HOST], peers, nativeCidr: '10.0.0.0/8', rotatedCa: null });
    const secret = find(objects, 'Secret', 'cilium-kvstoremesh') ?? find(objects, 'Secret', 'cilium-clustermesh');
    expect(decoded(secret)['c2']).toContain('https://mesh-2.elb.eu-west-1.amazonaws.com:2379');
    expect(decoded(secret)['c3']).toContain('https://c3.mesh.cilium.io:32379');
    const certificate = new X509Certificate(decoded(find(objects, 'Secret', 'clustermesh-apiserver-server-cert'))['tls.crt'] ?? '');
    expect([HOST, 'c1.mesh.cilium.io', 'other.example.com'].map((name) => certificate.checkHost(name) !== undefined)).toEqual([true, true, false]);
    expect(find(objects, 'Service', 'clustermesh-apiserver')).toMatchObject({ spec: { type: 'LoadBalancer' }, metadata: { annotations: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' } } });
  });

  it('change nothing else of cilium-config, and roll the pods where the CA is another', async () => {
    const [before, after] = [await renderChart({ path }, base, { kubeVersion: 'v1.33.0' }), await render({ expose: 'nodePort', ownNames: [], peers, nativeCidr: '10.0.0.0/8', rotatedCa: 'abc' })];
    const { 'ipv4-native-routing-cidr': cidr, ...config } = find(after, 'ConfigMap', 'cilium-config')?.data ?? {};
    expect([cidr, config]).toEqual(['10.0.0.0/8', find(before, 'ConfigMap', 'cilium-config')?.data]);
    for (const [kind, name] of [['DaemonSet', 'cilium'], ['Deployment', 'cilium-operator'], ['Deployment', 'clustermesh-apiserver']] as const) {
      expect(find(after, kind, name)).toMatchObject({ spec: { template: { metadata: { annotations: { 'ciliate.io/mesh-ca': 'abc' } } } } });
    }
    expect(find(after, 'Service', 'clustermesh-apiserver')).toMatchObject({ spec: { type: 'NodePort', ports: [{ nodePort: 32_379 }] } });
  });
});
