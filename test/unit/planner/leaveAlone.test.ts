import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../../domain/observation.js';
import type { Plan } from '../../../domain/plan.js';
import { plan } from '../../../domain/planner.js';
import { installShows, renderPlan } from '../../../domain/report/index.js';
import { planRollback } from '../../../domain/rollback/plan.js';
import { parseSpec } from '../../../starter/spec/read.js';
import { OUR_CILIUM, awsNode, cluster, group, node } from './cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: '/c.tgz' };
const VALUES: Plan['values'] = { migration: {}, enforcement: {}, final: {} };

const spec = (leaveAlone: string | undefined, strategy: string) => `
apiVersion: ciliate.io/v1alpha1
kind: ClusterMigration
metadata: {name: prod}
spec:
  cluster: {kubeconfig: /k}
  cilium: {version: 1.20.0, clusterId: 1}
  strategy: ${strategy}
  soakSeconds: 600
${leaveAlone === undefined ? '' : `  refresh: {leaveAlone: '${leaveAlone}'}`}
`;
const read = (leaveAlone?: string, strategy = 'replace') => parseSpec(spec(leaveAlone, strategy), { file: 'spec.yaml', folder: '/', needsChart: false });
const db = { labels: { pool: 'db' } };
const nodes = [node(1, { ...db, group: 'db' }), node(2), node(3), node(4, { labels: { pool: 'cache' } }), node(5)];
const seen = (over: Partial<ObservedCluster> = {}) => cluster({ nodes, groups: [group(nodes.slice(1)), group(nodes.slice(0, 1), { name: 'db' })], ...over });
const planned = (leaveAlone?: string, over: Partial<ObservedCluster> = {}, strategy?: string): Plan => plan(seen(over), { manifest: read(leaveAlone, strategy), chart: CHART, values: VALUES });
const names = (some: readonly { name: string }[]) => some.map(({ name }) => name).sort();
const stepOf = ({ steps }: Plan, id: string) => steps.find((step) => step.id === id);
const ids = ({ findings }: Plan) => findings.map(({ id }) => id);

describe('refresh.leaveAlone, from the spec to the plan', () => {
  const alone = planned('pool in (db, cache)');

  it('keeps its nodes out of those that are refreshed, and names them', () => {
    expect(names(alone.nodes)).toEqual(['ip-10-0-0-2', 'ip-10-0-0-3', 'ip-10-0-0-5']);
    expect(names(alone.leftAlone)).toEqual(['ip-10-0-0-1', 'ip-10-0-0-4']);
    expect(stepOf(alone, 'refresh')?.writes.filter((line) => /ip-10-0-0-[14]:/.test(line))).toEqual([]);
    expect(alone.pods).toBe(12);
    expect(planned().leftAlone).toEqual([]);
  });

  it('reads a selector as the API server does', () => {
    expect(names(planned('pool!=db').leftAlone)).toEqual(names(nodes.slice(1)));
    expect(names(planned('!pool').nodes)).toEqual(['ip-10-0-0-1', 'ip-10-0-0-4']);
  });

  it('still labels them, and guards their groups: aws-node stays there', () => {
    expect(stepOf(alone, 'label')?.writes).toEqual(['5 nodes: label cni-plugin=aws']);
    expect(stepOf(alone, 'guard')?.writes.join()).toContain('Auto Scaling group db:');
  });

  it('ends the run after the refresh: no gate, no write and no time for what comes later', () => {
    expect(alone.steps.filter(({ unreached }) => unreached !== undefined).map(({ id, gate, writes }) => [id, gate, writes])).toEqual(['enforce', 'soak', 'remove', 'finalise'].map((id) => [id, undefined, []]));
    expect(planned().steps.filter(({ unreached }) => unreached !== undefined)).toEqual([]);
    expect(alone.estimate.basis).toContain('2 nodes are left alone: the run ends after the refresh');
    expect(planned('pool=db').estimate.totalSeconds).toBeLessThan(planned().estimate.totalSeconds - 600 - 60);
  });

  it('is told by preflight and at the gate, ten names and the rest counted', () => {
    expect(alone.findings).toMatchObject([{ id: 'left-alone', severity: 'info', objects: ['Node ip-10-0-0-1', 'Node ip-10-0-0-4'] }]);
    expect(installShows(alone).join('\n')).toContain('3 nodes to refresh, 2 left alone, 0 left out');
    expect(installShows(alone)).toContain('left alone by refresh.leaveAlone: ip-10-0-0-1, ip-10-0-0-4; the run ends partial, and aws-node stays for them');
    expect(renderPlan(alone, 'table')).toMatch(/LEFT ALONE \(2\), by refresh\.leaveAlone\n {2}ip-10-0-0-1\n {2}ip-10-0-0-4\n/);
    expect(renderPlan(alone, 'markdown')).toContain('## Left alone (2)');
    const many = Array.from({ length: 25 }, (_, index) => node(index + 10, db));
    const crowd = planned('pool=db', { nodes: [...nodes, ...many] });
    expect(crowd.leftAlone).toHaveLength(26);
    expect(installShows(crowd).join('\n')).toContain('and 16 more; the run ends partial');
    expect(renderPlan(crowd, 'table')).toMatch(/LEFT ALONE \(26\)[^]*\n {2}and 16 more\n/);
  });

  it('is a warning where it selects no node: a misspelt label protects nothing', () => {
    const typo = planned('pol=db');
    expect(typo.findings).toMatchObject([{ id: 'leave-alone-nothing', severity: 'warning' }]);
    expect(typo.nodes).toHaveLength(5);
    // One that is on Cilium is one, too.
    expect(ids(planned('pool=db', { nodes: [node(1, { ...db, cni: 'cilium' }), node(2)] }))).not.toContain('leave-alone-nothing');
  });

  it('asks nothing of what a drain of them would meet', () => {
    const bare = [{ namespace: 'shop', name: 'one', node: 'ip-10-0-0-1' }];
    const pods = { ...seen().pods, bare, emptyDir: bare };
    expect(ids(planned(undefined, { pods }))).toEqual(['bare-pods', 'empty-dir']);
    expect(ids(planned('pool=db', { pods }))).toEqual(['left-alone']);
  });

  it('says nothing of a node that is on Cilium already, or that has no group', () => {
    const others = [node(1, { ...db, cni: 'cilium' }), node(2), node(3, { ...db, group: undefined })];
    expect(planned('pool=db', { nodes: others }).leftAlone).toEqual([]);
    expect(ids(planned('pool=db', { nodes: others }))).toContain('node-unplaced');
  });

  it('is never done while one of them is left', () => {
    const onCilium = [1, 2].map((index) => node(index, { cni: 'cilium' }));
    expect(planned('pool=db', { nodes: [...onCilium, node(3, db)], cilium: OUR_CILIUM, awsNode: null }).mode).toBe('resume');
  });

  it('means nothing to a chain, which replaces no node', () => {
    const chained = planned('pool=db', {}, 'chain');
    expect([chained.leftAlone, ids(chained)]).toEqual([[], ['chain-limits']]);
  });

  it('holds on the way back too', () => {
    const back = planRollback(
      {
        cluster: cluster({ nodes: [node(1, { ...db, cni: 'cilium' }), node(2, { cni: 'cilium' })], awsNode: awsNode(), cilium: OUR_CILIUM }),
        ledger: null, policyMode: 'never', ciliumPolicies: 0, phase: 'migration', meshed: false, chained: false,
      },
      { manifest: read('pool=db'), chart: CHART, values: {} },
    );
    expect(back.steps.filter(({ unreached }) => unreached !== undefined)).toMatchObject([{ id: 'uninstall', writes: [], unreached: '1 node is left alone' }]);
    expect([names(back.nodes), names(back.leftAlone), back.findings.map(({ id }) => id).filter((id) => id === 'left-alone')]).toEqual([['ip-10-0-0-2'], ['ip-10-0-0-1'], ['left-alone']]);
  });
});
