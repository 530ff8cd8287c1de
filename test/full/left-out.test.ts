import { CoreV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Field } from '../support/field.js';
import { clusterState } from '../support/clusterState.js';

const COMPUTE = 'eks.amazonaws.com/compute-type';
/** As EKS labels them; a taint each, since nothing runs there in a lab. */
const STRANGERS: Record<string, { labels: Record<string, string>; providerID: string }> = {
  'fargate-ip-10-0-9-1': { labels: { [COMPUTE]: 'fargate', 'kubernetes.io/os': 'linux' }, providerID: 'aws:///eu-west-1a/0123456789-abcdef/fargate-ip-10-0-9-1.eu-west-1.compute.internal' },
  'windows-1': { labels: { 'kubernetes.io/os': 'windows' }, providerID: 'aws:///eu-west-1a/i-0000000000000aaaa' },
  'mi-0123456789abcdef0': { labels: { [COMPUTE]: 'hybrid', 'kubernetes.io/os': 'linux' }, providerID: 'eks-hybrid:///eu-west-1/prod/mi-0123456789abcdef0' },
  'i-0000000000000bbbb': { labels: { [COMPUTE]: 'auto', 'karpenter.sh/nodepool': 'general-purpose', 'kubernetes.io/os': 'linux' }, providerID: 'aws:///eu-west-1a/i-0000000000000bbbb' },
};

let field: Field;
let core: CoreV1Api;

describe('a cluster with Fargate, Windows, hybrid and Auto Mode nodes', () => {
  beforeAll(async () => {
    field = await Field.up({ nodes: 2 });
    core = field.kube.makeApiClient(CoreV1Api);
    for (const [name, { labels, providerID }] of Object.entries(STRANGERS)) {
      await core.createNode({ body: { metadata: { name, labels }, spec: { providerID, taints: [{ key: 'lab.ciliate.io/stranger', effect: 'NoSchedule' }] } } });
    }
    field.startWorker();
  });
  afterAll(() => field.down());

  it('leaves them out and says so', async () => {
    const { out } = await field.ciliate('plan', '-f', field.spec('rest'), '-o', 'json');
    const plan = JSON.parse(out) as { blocked: boolean; nodes: unknown[]; leftOut: { name: string }[]; findings: { id: string; severity: string }[] };
    expect(plan.findings.filter(({ severity }) => severity === 'blocker')).toEqual([]);
    expect(plan.findings.map(({ id }) => id)).toContain('left-out');
    expect(plan.nodes).toHaveLength(2);
    expect(plan.leftOut.map(({ name }) => name).sort()).toEqual(Object.keys(STRANGERS).sort());
  });

  it('is done for the rest, and has touched none of them', async () => {
    const report = await field.migrate(field.spec('rest'), 'rest');
    expect(report).toMatchObject({ state: 'done', problem: null });
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed']);
    const state = await clusterState(field);
    expect(state).toMatchObject({ labelled: 0, cordoned: 0, leftovers: [], lease: null, guardsLedger: false, violations: [], killedPods: 0, agents: { awsNode: false, cilium: '2/2' } });
    for (const [name, { labels }] of Object.entries(STRANGERS)) {
      const now = Object.entries((await core.readNode({ name })).metadata?.labels ?? {});
      // The node controller mirrors some labels under their old keys.
      expect(Object.fromEntries(now.filter(([key]) => !key.startsWith('beta.kubernetes.io/')))).toEqual(labels);
    }
  });
});
