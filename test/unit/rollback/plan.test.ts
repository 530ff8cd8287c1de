import { describe, expect, it } from 'vitest';
import { confinedToAwsNodes, offCiliumNodes } from '../../../domain/cilium/placement.js';
import type { ObservedNode } from '../../../domain/observation.js';
import { renderRollbackPlan, rollbackShows } from '../../../domain/report/index.js';
import type { ObservedRollback } from '../../../domain/rollback/observed.js';
import { planRollback } from '../../../domain/rollback/plan.js';
import type { RollbackPlan } from '../../../domain/rollback/plan.js';
import { situationOf } from '../../../domain/rollback/situation.js';
import type { Manifest } from '../../../domain/spec/schema.js';
import { CHAIN_ROLLBACK_PHASES } from '../../../domain/status.js';
import { awsNode, cluster, manifest, node, OUR_CILIUM } from '../planner/cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: 'test' };
const LEDGER = { addon: null, daemonSet: true, affinity: null };
const onCilium = (index: number, over: Partial<ObservedNode> = {}): ObservedNode => node(index, { cni: 'cilium', hasCiliumNode: true, ...over });
const onAws = (index: number): ObservedNode => node(index, { labels: { 'cni-plugin': 'aws' } });
const confined = () => awsNode({ restricted: true, affinity: confinedToAwsNodes(null) });

function seen(over: Partial<ObservedRollback['cluster']>, rest: Partial<Omit<ObservedRollback, 'cluster'>> = {}): ObservedRollback {
  return { cluster: cluster({ awsNode: confined(), cilium: OUR_CILIUM, ...over }), ledger: LEDGER, phase: 'migration', chained: false, policyMode: 'never', meshed: false, ciliumPolicies: 0, ...rest };
}
const halfWay = (rest: Partial<Omit<ObservedRollback, 'cluster'>> = {}) => seen({ nodes: [onCilium(1), onAws(2), onAws(3)] }, rest);
const removed = (rest: Partial<Omit<ObservedRollback, 'cluster'>> = {}) => seen({ nodes: [onCilium(1), onCilium(2), onCilium(3)], awsNode: null }, { phase: 'final', policyMode: 'default', ...rest });
const make = (of: ObservedRollback, spec: Manifest = manifest()): RollbackPlan => planRollback(of, { manifest: spec, chart: CHART, values: {} });
const ids = (plan: RollbackPlan): string[] => plan.findings.filter(({ severity }) => severity === 'blocker').map(({ id }) => id);

describe('the situation', () => {
  it.each<[string, ObservedRollback, ReturnType<typeof situationOf>]>([
    ['nothing was done', seen({ awsNode: awsNode(), cilium: null, nodes: [node(1)] }, { ledger: null, phase: null }), 'nothing'],
    ['only labelled', seen({ awsNode: awsNode(), cilium: null, nodes: [onAws(1)] }, { phase: null }), 'untouched'],
    ['installed', seen({ nodes: [onAws(1)] }), 'untouched'],
    ['uninstalled, affinity not yet as it was', seen({ cilium: null, nodes: [node(1)], awsNode: awsNode({ affinity: offCiliumNodes(null) }) }, { ledger: null }), 'untouched'],
    ['one node on Cilium', halfWay(), 'half-way'],
    ['an agent that is away for a moment', seen({ nodes: [node(1, { cni: 'none', hasCiliumNode: true })] }), 'half-way'],
    ['aws-node removed', removed(), 'removed'],
  ])('%s', (_, of, situation) => {
    expect(situationOf(of)).toBe(situation);
  });
});

describe('the plan', () => {
  it('replaces the nodes of Cilium and no other, those with the operator last', () => {
    const plan = make(seen({ nodes: [onCilium(1, { hostsOperator: true }), onAws(2), onCilium(3)] }));
    expect(plan.blocked).toBe(false);
    expect(plan.nodes.map(({ name }) => name)).toEqual(['ip-10-0-0-3', 'ip-10-0-0-1']);
    expect(plan.steps.map(({ id }) => id)).toEqual(['preflight', 'take', 'unwind', 'guard', 'quiet', 'mark', 'confine', 'restore', 'refresh', 'prove', 'uninstall', 'give-back']);
    expect(plan.steps.find(({ id }) => id === 'take')?.gate).toBe('before-rollback');
    expect(plan.steps.find(({ id }) => id === 'quiet')?.writes).toEqual([]);
  });

  it('moves nothing where no node has run Cilium', () => {
    const plan = make(seen({ nodes: [onAws(1)] }));
    expect(plan.nodes).toEqual([]);
    expect(plan.steps.map(({ id }) => id)).toEqual(['preflight', 'take', 'unwind', 'give-back']);
  });

  it('says how aws-node comes back', () => {
    const writes = (plan: RollbackPlan): string => plan.steps.find(({ id }) => id === 'restore')?.writes.join() ?? '';
    expect(writes(make(removed()))).toMatch(/^ServiceAccount, RBAC, ConfigMap and DaemonSet aws-node: created as saved/);
    expect(writes(make(removed({ ledger: { ...LEDGER, addon: { version: 'v1.21.1', takesAffinity: true } } })))).toMatch(/^EKS add-on vpc-cni v1\.21\.1: created/);
    expect(writes(make(halfWay()))).toMatch(/^DaemonSet kube-system\/aws-node: ciliate\.io\/cni NotIn \[cilium\]/);
  });

  it('has a digest that nodes coming and going do not change, and that how aws-node comes back does', () => {
    const digest = make(halfWay()).digest;
    expect(make(seen({ nodes: [onCilium(1), onCilium(4), onAws(2)] })).digest).toBe(digest);
    expect(make(removed()).digest).not.toBe(digest);
    expect(make(removed({ ledger: { ...LEDGER, addon: { version: 'v1', takesAffinity: true } } })).digest).not.toBe(make(removed()).digest);
  });

  it('reads the same before and after its own first writes', () => {
    const after = seen({ nodes: [onCilium(1, { labels: { 'ciliate.io/cni': 'cilium' } }), onAws(2), onAws(3)], awsNode: awsNode({ affinity: offCiliumNodes(confined().affinity) }) }, { phase: 'rollback' });
    expect(make(after).digest).toBe(make(halfWay()).digest);
    expect(make(after).steps.filter(({ id }) => ['quiet', 'mark', 'confine', 'restore'].includes(id)).flatMap(({ writes }) => writes)).toEqual([]);
  });

  it('is shown at the gate and as text', () => {
    const plan = make(removed());
    expect(rollbackShows(plan)[0]).toBe('situation removed: aws-node is gone and is made again');
    expect(renderRollbackPlan(plan, 'table')).toContain('READY. 3 nodes to replace');
    expect(JSON.parse(renderRollbackPlan(plan, 'json'))).toMatchObject({ version: 1, toward: 'aws-node', situation: 'removed' });
    expect(renderRollbackPlan(plan, 'markdown')).toContain('# Way back of prod');
  });
});

describe('from a chain', () => {
  const config = { ...OUR_CILIUM.config, masquerade: false, prefixDelegation: false, chainingMode: 'aws-cni' };
  const both = (index: number, over: Partial<ObservedNode> = {}): ObservedNode => node(index, { cni: 'both', hasCiliumNode: true, ...over });
  const chained = (over: Partial<ObservedRollback['cluster']> = {}, rest: Partial<Omit<ObservedRollback, 'cluster'>> = {}) =>
    seen({ awsNode: awsNode(), cilium: { ...OUR_CILIUM, config }, nodes: [both(1, { hostsOperator: true }), both(2), both(3)], ...over }, { chained: true, phase: 'final', ...rest });
  const spec = manifest({ strategy: 'chain' });

  it.each<[string, ObservedRollback, ReturnType<typeof situationOf>, number]>([
    ['nobody was restarted yet: the agents ran, so nodes go', chained({}, { phase: 'migration' }), 'half-way', 3],
    ['one node is replaced', chained({ nodes: [node(1), both(2), both(3)] }, { phase: 'rollback' }), 'half-way', 2],
    ['an agent is away for a moment', chained({ nodes: [node(1), node(2, { hasCiliumNode: true })] }), 'half-way', 1],
    ['the release is gone, and marks are there', chained({ cilium: null, nodes: [node(1), node(2, { labels: { 'ciliate.io/cni': 'cilium' } })] }, { phase: null, policyMode: null }), 'half-way', 1],
    ['no agent ever ran', chained({ nodes: [node(1), node(2)] }, { phase: 'migration' }), 'untouched', 0],
    ['nothing is left', chained({ cilium: null, nodes: [node(1)] }, { phase: null, policyMode: null, ledger: null }), 'nothing', 0],
  ])('%s', (_, of, situation, nodes) => {
    const plan = make(of, spec);
    expect([plan.situation, plan.nodes.length, ids(plan)]).toEqual([situation, nodes, []]);
  });

  it('replaces every node with both, the operator last, and never writes to aws-node', () => {
    const plan = make(chained(), spec);
    expect(plan.nodes.map(({ name }) => name)).toEqual(['ip-10-0-0-3', 'ip-10-0-0-2', 'ip-10-0-0-1']);
    expect(plan.steps.map(({ id }) => id)).toEqual([...CHAIN_ROLLBACK_PHASES]);
    expect(plan.steps.find(({ id }) => id === 'refresh')?.gate).toBe('after-canary');
    expect(plan.steps.flatMap(({ writes }) => writes).join()).not.toMatch(/affinity as it was|NotIn|add-on/);
    expect(plan.findings.find(({ id }) => id === 'rollback-chained')).toMatchObject({ severity: 'warning', message: expect.stringContaining('3 nodes must be') as string });
    expect(rollbackShows(plan).join()).toContain('warning rollback-chained');
  });

  it('counts no node that keeps a network of its own', () => {
    const fargate = node(9, { cni: 'none', leftOut: 'fargate' });
    expect(make(chained({ nodes: [both(1), fargate] }), spec).nodes).toHaveLength(1);
  });

  it('reads the same before and after its own first writes', () => {
    const before = make(chained(), spec);
    const after = make(chained({ nodes: [1, 2, 3].map((index) => both(index, { labels: { 'ciliate.io/cni': 'cilium' } })) }, { phase: 'rollback' }), spec);
    expect(after.digest).toBe(before.digest);
    expect(after.steps.filter(({ id }) => ['quiet', 'mark', 'confine'].includes(id)).flatMap(({ writes }) => writes)).toEqual([]);
  });

  it('meets what draining meets', () => {
    const pdbs = [{ namespace: 'shop', name: 'cart', expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 }];
    const denied = { action: 'autoscaling:TerminateInstanceInAutoScalingGroup', verdict: 'denied' as const, how: 'simulated' };
    expect(make(chained({ pdbs }), spec).findings.map(({ id }) => id)).toContain('pdb-undrainable');
    expect(ids(make(chained({ nodes: [both(1, { instanceId: undefined })] }), spec))).toEqual(['node-unplaced']);
    expect(ids(make(chained({ aws: { ...cluster().aws, actions: [denied] } }), spec))).toEqual(['aws-action-denied']);
  });

  it('policies that Cilium enforces, and the startup taint, are in its way too', () => {
    expect(ids(make(chained({}, { policyMode: 'default', ciliumPolicies: 1 }), spec))).toEqual(['rollback-policy-gap']);
    const pool = { name: 'p', labels: {}, taints: [], startupTaints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoExecute' }], expireAfter: 'Never' };
    expect(ids(make(chained({ nodePools: [pool] }), spec))).toEqual(['rollback-startup-taint']);
  });

  it('a spec of the other way is refused, both ways round: its values would be installed first', () => {
    expect(ids(make(chained()))).toEqual(['rollback-other-strategy']);
    expect(ids(make(halfWay(), spec))).toEqual(['rollback-other-strategy']);
  });

  it('an aws-node that is not on every node is refused', () => {
    for (const affinity of [confinedToAwsNodes(null), offCiliumNodes(null)]) expect(ids(make(chained({ awsNode: awsNode({ affinity }) }), spec))).toEqual(['rollback-aws-node-confined']);
    expect(ids(make(chained({ awsNode: null }), spec))).toEqual(['rollback-aws-node-confined']);
  });

  it('nodes with both stay a mistake where nothing is chained', () => {
    expect(ids(make(seen({ nodes: [onCilium(1), node(2, { cni: 'both' })] })))).toEqual(['node-runs-both']);
  });
});

describe('what is in the way', () => {
  const policies = [{ namespace: 'shop', name: 'deny' }];

  it('policies that Cilium enforces, unless their end is accepted', () => {
    const enforcing = seen({ nodes: [onCilium(1)], awsNode: null, networkPolicies: policies }, { phase: 'final', policyMode: 'default' });
    expect(ids(make(enforcing))).toEqual(['rollback-policy-gap']);
    expect(ids(make(enforcing, manifest({ cilium: { version: '1.20.0', acceptPolicyGap: true } })))).toEqual([]);
    expect(ids(make(removed({ ciliumPolicies: 1 })))).toEqual(['rollback-policy-gap']);
    expect(ids(make(removed({ policyMode: 'always' })))).toEqual(['rollback-policy-gap']);
    expect(ids(make(removed({ policyMode: 'never', ciliumPolicies: 1 })))).toEqual([]);
  });

  it('nothing saved of an aws-node that is gone; while it is there, a warning', () => {
    expect(ids(make(removed({ ledger: null })))).toEqual(['rollback-nothing-saved']);
    expect(make(halfWay({ ledger: null })).findings.map(({ id }) => id)).toContain('rollback-ledger-lost');
  });

  it.each([false, null])('a saved add-on whose configuration takes no affinity, or nobody knows (%s)', (takesAffinity) => {
    expect(ids(make(removed({ ledger: { ...LEDGER, addon: { version: 'v1.12', takesAffinity } } })))).toEqual(['rollback-addon-affinity']);
  });

  it("Cilium's startup taint on new nodes", () => {
    const taint = { key: 'node.cilium.io/agent-not-ready', effect: 'NoExecute' };
    const pool = { name: 'p', labels: {}, taints: [], startupTaints: [taint], expireAfter: 'Never' };
    expect(ids(make(seen({ nodes: [onCilium(1)], nodePools: [pool] })))).toEqual(['rollback-startup-taint']);
  });

  it('a mesh that is connected', () => {
    expect(ids(make(halfWay({ meshed: true })))).toEqual(['rollback-in-mesh']);
  });

  it('another version of Cilium than the installed one', () => {
    expect(ids(make(halfWay(), manifest({ cilium: { version: '1.19.6' } })))).toEqual(['rollback-other-chart']);
  });

  it('what draining meets, for the nodes of Cilium and no other', () => {
    const pdbs = [{ namespace: 'shop', name: 'cart', expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 }];
    expect(make(seen({ nodes: [onCilium(1)], pdbs })).findings.map(({ id }) => id)).toContain('pdb-undrainable');
    expect(make(seen({ nodes: [onAws(1)], pdbs })).findings.map(({ id }) => id)).not.toContain('pdb-undrainable');
  });

  it('nothing where there is nothing to undo', () => {
    expect(make(seen({ awsNode: awsNode(), cilium: null, nodes: [] }, { ledger: null, phase: null })).blocked).toBe(false);
  });
});
