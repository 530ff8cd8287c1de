import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../../domain/observation.js';
import type { Plan } from '../../../domain/plan.js';
import { plan } from '../../../domain/planner.js';
import { renderPlan } from '../../../domain/report/index.js';
import { CHAIN_PHASES, CLEAN_PHASES } from '../../../domain/status.js';
import { OUR_CILIUM, awsNode, cluster, manifest, node } from './cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: '/charts/cilium-1.20.0.tgz' };
const VALUES: Plan['values'] = { migration: {}, enforcement: {}, final: {} };
const planOf = (spec: Parameters<typeof manifest>[0], over: Partial<ObservedCluster> = {}): Plan => plan(cluster(over), { manifest: manifest(spec), chart: CHART, values: VALUES });
const ids = ({ steps }: Plan): string[] => steps.map(({ id }) => id);
const gates = ({ steps }: Plan): string[] => steps.flatMap(({ id, gate }) => (gate ? [`${id}:${gate}`] : []));
const writes = ({ steps }: Plan, id: string): string[] => steps.find((step) => step.id === id)?.writes ?? [];

describe('a plan to chain', () => {
  const planned = planOf({ strategy: 'chain' });

  it('has its steps, and replaces no node', () => {
    expect(ids(planned)).toEqual([...CHAIN_PHASES]);
    expect([planned.nodes, planned.pods, planned.blocked, planned.mode]).toEqual([[], 12, false, 'migrate']);
    expect(writes(planned, 'install').join()).toContain('chained on the VPC CNI');
    expect(writes(planned, 'restart').join()).toContain('rollout restart');
    expect(planned.steps.flatMap((step) => step.writes).filter((line) => /aws-node:|add-on|terminated|label cni-plugin/.test(line))).toEqual([]);
  });

  it('waits at its own gates: none of nodes, and none of removal', () => {
    expect(gates(planned)).toEqual(['take:before-install', 'enforce:before-enforcement']);
    expect(gates(planOf({ strategy: 'chain', approvals: [] }))).toEqual([]);
  });

  it('shows its limits; the others have none', () => {
    expect(planned.limits[0]?.id).toBe('l7');
    expect(planOf({}).limits).toEqual([]);
    expect(planOf({ strategy: 'clean' }).limits).toEqual([]);
  });

  it('leaves source NAT to the VPC CNI, whatever the spec says', () => {
    expect(planOf({ strategy: 'chain', cilium: { version: '1.20.0', masquerade: true } }).masquerade).toMatchObject({ enabled: false, why: expect.stringContaining('VPC CNI') as string });
    expect(renderPlan(planned, 'table')).toMatch(/masquerade +off/);
  });

  it('goes on where Cilium is: every node runs both, and a look says whether a pod is left', () => {
    const chained = { ...OUR_CILIUM, config: { masquerade: false, prefixDelegation: null, chainingMode: 'aws-cni' } };
    const again = planOf({ strategy: 'chain' }, { nodes: [1, 2].map((index) => node(index, { cni: 'both' })), cilium: chained });
    expect([again.mode, again.blocked, again.pods]).toEqual(['resume', false, 8]);
  });

  it('digests neither the affinity nor the label of aws-node: it changes neither', () => {
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'os', operator: 'In' as const, values: ['linux'] }] }] } } };
    expect(planOf({ strategy: 'chain' }, { awsNode: awsNode({ affinity }) }).installDigest).toBe(planned.installDigest);
    expect(planOf({}, { awsNode: awsNode({ affinity }) }).installDigest).not.toBe(planOf({}).installDigest);
  });
});

describe('a plan for a clean cluster', () => {
  const planned = planOf({ strategy: 'clean' });

  it('has its steps: aws-node goes before Cilium comes, every node is replaced', () => {
    expect(ids(planned)).toEqual([...CLEAN_PHASES]);
    expect(ids(planned).indexOf('remove')).toBeLessThan(ids(planned).indexOf('install'));
    expect(planned.nodes).toHaveLength(3);
    expect(writes(planned, 'label')).toEqual(['3 nodes: label cni-plugin=aws']);
    expect(writes(planned, 'remove')).toEqual(['DaemonSet kube-system/aws-node: deleted']);
    expect(writes(planned, 'finalise').join()).toContain('policy enforcement as in your values');
  });

  it('waits at its own gates', () => {
    expect(gates(planned)).toEqual(['take:before-install', 'remove:before-removal', 'refresh:after-canary', 'finalise:before-enforcement']);
    expect(gates(planOf({ strategy: 'clean', refresh: { canary: false } }))).not.toContain('refresh:after-canary');
  });

  it('is shorter than replace: nothing is soaked', () => {
    expect(planned.estimate.totalSeconds).toBeLessThan(planOf({}).estimate.totalSeconds);
  });

  it('is blocked by a user workload', () => {
    const pods = { ...cluster().pods, user: [{ namespace: 'shop', name: 'cart-1' }] };
    expect(planOf({ strategy: 'clean' }, { pods }).blocked).toBe(true);
    expect(planOf({ strategy: 'clean', clean: { addOns: ['shop'] } }, { pods }).blocked).toBe(false);
  });

  it('is done where replace is', () => {
    const done = { nodes: [1, 2].map((index) => node(index, { cni: 'cilium' })), cilium: { ...OUR_CILIUM, config: { masquerade: true, prefixDelegation: false, chainingMode: 'none' } }, awsNode: null };
    expect(planOf({ strategy: 'clean' }, done).mode).toBe('done');
    expect(planOf({ strategy: 'chain' }, done)).toMatchObject({ mode: 'resume', blocked: true });
  });
});
