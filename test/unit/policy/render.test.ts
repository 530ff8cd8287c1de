import { CiliumNetworkPolicy as Validated } from '@kubernetes-models/cilium/cilium.io/v2/CiliumNetworkPolicy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { losses } from '../../../domain/policy/losses.js';
import { markedPolicy, renderPolicy } from '../../../domain/policy/render.js';
import type { RenderedPolicy } from '../../../domain/policy/render.js';
import { clusterlessMeaning, clusterlessSelectors, directionsOf, selectedLabels } from '../../../domain/policy/selectors.js';
import { crossClusterPolicySchema } from '../../../domain/spec/policy.js';
import type { CiliumNetworkPolicy, CrossClusterPolicy } from '../../../domain/spec/policy.js';

const article = crossClusterPolicySchema.parse({
  apiVersion: 'ciliate.io/v1alpha1',
  kind: 'CrossClusterPolicy',
  metadata: { name: 'allow-cross-cluster' },
  spec: {
    from: { cluster: 'cluster-1', namespace: 'my-client', labels: { app: 'my-client' } },
    to: { cluster: 'cluster-2', namespace: 'my-server', labels: { app: 'my-server' }, ports: [{ port: 8080, protocol: 'TCP' }] },
  },
});
const same = (cluster: string): string => cluster;

/** As the CRD's schema has it (generated from Cilium's own types); throws with what is wrong. */
function validate(object: CiliumNetworkPolicy): void {
  new Validated(object as unknown as ConstructorParameters<typeof Validated>[0]).validate();
}

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const someLabels = fc.dictionary(fc.oneof(word, fc.tuple(word, word).map(([a, b]) => `${a}.io/${b}`)), fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?$/), { minKeys: 1, maxKeys: 4 });
const side = fc.record({ cluster: word, namespace: word, labels: someLabels });
const policies = fc.record({
  name: word,
  from: side,
  to: side,
  ports: fc.array(fc.record({ port: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom('TCP', 'UDP', 'SCTP') }), { minLength: 1, maxLength: 5 }),
}).map(({ name, from, to, ports }): CrossClusterPolicy =>
  crossClusterPolicySchema.parse({ apiVersion: 'ciliate.io/v1alpha1', kind: 'CrossClusterPolicy', metadata: { name }, spec: { from, to: { ...to, ports } } }),
);

describe("the article's policy", () => {
  const [egress, ingress] = renderPolicy(article, same) as [RenderedPolicy, RenderedPolicy];

  it('is egress where the client is, with DNS', () => {
    expect(egress).toMatchObject({ cluster: 'cluster-1', direction: 'egress' });
    expect(egress.object.metadata).toMatchObject({ name: 'allow-cross-cluster-egress', namespace: 'my-client' });
    expect(egress.object['spec']).toEqual({
      endpointSelector: { matchLabels: { 'k8s:app': 'my-client', 'k8s:io.cilium.k8s.policy.cluster': 'cluster-1' } },
      egress: [
        {
          toEndpoints: [{ matchLabels: { 'k8s:app': 'my-server', 'k8s:io.kubernetes.pod.namespace': 'my-server', 'k8s:io.cilium.k8s.policy.cluster': 'cluster-2' } }],
          toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }],
        },
        {
          toEndpoints: [{ matchLabels: { 'k8s:k8s-app': 'kube-dns', 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:io.cilium.k8s.policy.cluster': 'cluster-1' } }],
          toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }, { port: '53', protocol: 'TCP' }] }],
        },
      ],
    });
  });

  it('is ingress where the server is', () => {
    expect(ingress).toMatchObject({ cluster: 'cluster-2', direction: 'ingress', object: { metadata: { name: 'allow-cross-cluster-ingress', namespace: 'my-server' } } });
    expect(ingress.object['spec']).toEqual({
      endpointSelector: { matchLabels: { 'k8s:app': 'my-server', 'k8s:io.cilium.k8s.policy.cluster': 'cluster-2' } },
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { 'k8s:app': 'my-client', 'k8s:io.kubernetes.pod.namespace': 'my-client', 'k8s:io.cilium.k8s.policy.cluster': 'cluster-1' } }],
          toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }],
        },
      ],
    });
  });

  it("says what the pods lose: being selected is a default deny", () => {
    const none = { pods: 3, egressDeniedBy: [], ingressDeniedBy: [] };
    expect(losses(egress, none)).toEqual([
      '3 pods of my-client lose every egress but to cluster-2/my-server (app=my-server) on TCP 8080; to cluster-1/kube-system (k8s-app=kube-dns) on UDP 53, TCP 53',
    ]);
    expect(losses(ingress, { ...none, pods: 1 })[0]).toMatch(/^1 pod of my-server lose every ingress but from cluster-1\/my-client \(app=my-client\) on TCP 8080/);
    expect(losses(egress, { ...none, egressDeniedBy: ['NetworkPolicy my-client/deny'] })[0]).toMatch(/denied by default already by NetworkPolicy my-client\/deny/);
  });

  it('uses the name that Cilium has for the cluster, which may differ from the migration', () => {
    const [first] = renderPolicy(article, (cluster) => `${cluster}-in-cilium`);
    expect(first?.cluster).toBe('cluster-1');
    expect(JSON.stringify(first?.object)).toContain('"k8s:io.cilium.k8s.policy.cluster":"cluster-2-in-cilium"');
  });
});

describe('whatever policy is rendered', () => {
  it("fits the CRD's schema, names the cluster in every selector, and selects by the labels given", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const [egress, ingress] = renderPolicy(policy, same) as [RenderedPolicy, RenderedPolicy];
        for (const { object } of [egress, ingress]) {
          validate(object);
          expect(clusterlessSelectors(object)).toEqual([]);
        }
        expect(directionsOf(egress.object)).toEqual(['egress']);
        expect(directionsOf(ingress.object)).toEqual(['ingress']);
        expect(selectedLabels(egress.object)).toEqual(policy.spec.from.labels);
        expect(selectedLabels(ingress.object)).toEqual(policy.spec.to.labels);
        // Two objects even where both sides are one namespace of one cluster.
        expect(egress.object.metadata.name).not.toBe(ingress.object.metadata.name);
      }),
      { numRuns: 200 },
    );
  });

  it('what is wrong is refused by that schema (so that it proves something)', () => {
    const [{ object }] = renderPolicy(article, same) as [RenderedPolicy];
    const broken = JSON.parse(JSON.stringify(object).replace('"port":"8080"', '"port":8080')) as CiliumNetworkPolicy;
    expect(() => validate(broken)).toThrow(/port must be string/);
  });
});

describe('a CiliumNetworkPolicy as it is', () => {
  const given = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'mine', namespace: 'shop', resourceVersion: '7', labels: { team: 'a' } },
    spec: { endpointSelector: { matchLabels: { app: 'x' } }, ingress: [{ fromEndpoints: [{ matchLabels: { app: 'y' } }, { matchLabels: { 'io.cilium.k8s.policy.cluster': 'c2' } }] }] },
  } as CiliumNetworkPolicy;

  it('is marked as ours, its spec untouched', () => {
    const marked = markedPolicy(given);
    expect(marked['spec']).toEqual(given['spec']);
    expect(marked.metadata).toEqual({ name: 'mine', namespace: 'shop', labels: { team: 'a', 'app.kubernetes.io/managed-by': 'ciliate', 'ciliate.io/policy': 'mine' } });
  });

  it('has its selectors without a cluster named, with what they mean in that version', () => {
    expect(clusterlessSelectors(given)).toEqual(['spec.ingress[0].fromEndpoints[0]']);
    expect(clusterlessMeaning(18, undefined)).toMatch(/^pods of all clusters/);
    expect(clusterlessMeaning(18, true)).toMatch(/^pods of the local cluster only/);
    expect(clusterlessMeaning(19, undefined)).toMatch(/^pods of the local cluster only/);
    expect(clusterlessMeaning(20, false)).toMatch(/^pods of all clusters/);
  });

  it('denies by default where it has rules, unless it says that it does not', () => {
    expect(directionsOf(given)).toEqual(['ingress']);
    expect(directionsOf({ ...given, spec: { endpointSelector: {}, egress: [], enableDefaultDeny: { egress: false } } })).toEqual([]);
    expect(directionsOf({ ...given, spec: undefined, specs: [{ endpointSelector: {}, egressDeny: [] }] })).toEqual(['egress']);
  });
});
