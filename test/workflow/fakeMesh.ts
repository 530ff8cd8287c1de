import type { PolicySeen } from '../../domain/policy/run.js';

/** Activities of connectMesh and crossClusterPolicy that answer as two healthy clusters would. */
export type Fakes = Record<string, (input: never) => Promise<unknown>>;

const manifest = (id: number) => ({ metadata: { name: `c${id}` }, spec: { cluster: { kubeconfig: `/k${id}` }, cilium: { version: '1.20.0', clusterName: `cluster-${id}`, clusterId: id } } });
export const meshOrder = { verb: 'connect', mesh: { name: 'eu', expose: 'nodePort', clusters: [manifest(1), manifest(2)] } };
export const meshProof = { proofs: ['x'], problems: [], agents: { asked: 2, connected: 0, silent: 2, why: 'no kubelet' } };
export const meshPlan = { findings: [], blocked: false, caSource: 'c1', clusters: [{ cluster: 'c1', nativeCidr: '10.0.0.0/15' }, { cluster: 'c2', nativeCidr: null }] };
/** What meshFakes.changeMesh was asked for. */
export const meshChanges: { target: { migration: string }; peers: unknown; nativeCidr: unknown }[] = [];
export const meshFakes: Fakes = {
  readMesh: async (mesh) => mesh,
  temporalFacts: async () => ({ holder: 'h/n/w', searchAttributes: true }),
  meshPreflight: async () => meshPlan,
  takeLease: async () => ({ tookOverFrom: null }),
  releaseLease: async () => undefined,
  shareCa: async () => ({ change: 'replaced' }),
  changeMesh: async (input) => (meshChanges.push(input), { revision: 4, changed: true }),
  lookMesh: async ({ target }: { target: { migration: string } }) => ({ done: true, seen: 's', blockers: [], exposed: { port: 32_379, ips: [`10.${target.migration.slice(1)}.0.1`] } }),
  verifyMesh: async () => meshProof,
  leaveMesh: async () => ({ changed: true, left: [] }),
  lookLeft: async () => ({ done: true, seen: 's', blockers: [] }),
};

const policyDocument = {
  apiVersion: 'ciliate.io/v1alpha1', kind: 'CrossClusterPolicy', metadata: { name: 'p' },
  spec: { from: { cluster: 'c1', namespace: 'a', labels: { app: 'a' } }, to: { cluster: 'c2', namespace: 'b', labels: { app: 'b' }, ports: [{ port: 80, protocol: 'TCP' }] } },
};
const policyClusters = ['c1', 'c2'].map((name) => ({ name, ciliumName: name, cluster: { kubeconfig: `/${name}` } }));
export const policyInput = (verb: string, rest = {}) => ({ verb, given: { kind: 'cross', policy: policyDocument }, clusters: policyClusters, dryRun: false, probeSeconds: 5, ...rest });
export const policySeen = (rest: Partial<PolicySeen> = {}) => async ({ rendered }: { rendered: { cluster: string; direction: string } }) => ({ cluster: rendered.cluster, direction: rendered.direction, namespace: 'n', name: 'p', state: 'absent', before: null, after: {}, pods: 1, losses: [], findings: [], done: null, ...rest });
export const policyFakes: Fakes = {
  inspectPolicy: policySeen() as never,
  applyPolicy: async () => ({ done: 'applied' }),
  removePolicy: async () => ({ done: 'removed' }),
  startPolicyProbes: async () => ({ impossible: null, elsewhere: 'CoreDNS' }),
  lookPolicyProbes: async () => ({ done: true, seen: 's', blockers: [], results: {} }),
  endPolicyProbes: async () => undefined,
};
