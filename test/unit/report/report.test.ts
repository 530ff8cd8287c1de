import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../domain/plan.js';
import { plan } from '../../../domain/planner.js';
import { enforcementShows, installShows, nextCommands, renderPlan, renderReport, renderStatus } from '../../../domain/report/index.js';
import { columns, duration, markdownCell, markdownTable, wrap } from '../../../domain/report/text.js';
import type { MigrationReport, MigrationStatus, RunState } from '../../../domain/status.js';
import { cluster, manifest, node } from '../planner/cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: '/c.tgz' };
const VALUES: Plan['values'] = {
  migration: { policyEnforcementMode: 'never', operator: { unmanagedPodWatcher: { restart: false } }, eni: { enabled: true } },
  enforcement: { policyEnforcementMode: 'default', operator: { unmanagedPodWatcher: { restart: true } }, eni: { enabled: true } },
  final: {},
};
const ready = plan(cluster({ clusterAutoscaler: true }), { manifest: manifest(), chart: CHART, values: VALUES });
const blocked = plan(cluster({ helm: null, nodes: [node(1), node(2), node(3, { leftOut: 'fargate' })] }), { manifest: manifest(), chart: CHART, values: VALUES });

describe('the plan', () => {
  it('says first how it stands, then what to type, then what blocks', () => {
    const lines = renderPlan(blocked, 'table').split('\n');
    expect(lines[0]).toBe('prod: BLOCKED by 1 finding. Nothing was written.');
    expect(lines.indexOf('NEXT')).toBeLessThan(lines.indexOf('BLOCKERS (1)'));
    expect(lines).toContain('  helm-missing');
    expect(renderPlan(ready, 'table').split('\n')[0]).toBe('prod: READY. 3 nodes to refresh. Nothing was written.');
  });

  it('names what each step writes, the gates, the nodes in order and what is left out', () => {
    const text = renderPlan(ready, 'table');
    expect(text).toContain('Take the cluster  [gate before-install, before it]');
    expect(text).toContain('DaemonSet kube-system/aws-node: cni-plugin In [aws] added to every nodeSelectorTerm');
    expect(text).toMatch(/1 {2}ip-10-0-0-3 +i-3 +workers +eu-west-1a/);
    expect(renderPlan(blocked, 'table')).toContain('Fargate: no node of yours');
  });

  it('as JSON has stable keys', () => {
    expect(Object.keys(JSON.parse(renderPlan(ready, 'json')) as object)).toEqual([
      'version', 'ciliate', 'migration', 'strategy', 'findings', 'blocked', 'mode', 'steps', 'nodes', 'pods', 'limits', 'leftOut', 'leftAlone', 'chart', 'masquerade', 'values', 'estimate', 'installDigest',
    ]);
  });

  it('as Markdown has the same findings', () => {
    const text = renderPlan(blocked, 'markdown');
    expect(text).toContain('# Plan of prod');
    expect(text).toContain('- **helm-missing**');
  });

  it('shows at its gates what they decide', () => {
    expect(installShows(ready)[0]).toContain(CHART.sha256);
    expect(enforcementShows(ready)).toEqual(['operator.unmanagedPodWatcher.restart: false -> true', 'policyEnforcementMode: "never" -> "default"']);
  });
});

const ref = { name: 'ip-1', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'z' };
const status = (over: Partial<MigrationStatus> = {}): MigrationStatus => ({
  version: 1,
  migration: 'prod',
  workflowId: 'cilium-migration/prod',
  runId: 'r',
  state: 'running',
  phase: 'refresh',
  since: '2026-11-22T23:00:00.000Z',
  startedAt: '2026-11-22T22:00:00.000Z',
  gate: null,
  forces: [],
  paused: null,
  counts: { aws: 2, cilium: 1, pending: 0 },
  nodes: { done: 1, total: 3, skipped: [], failed: [], postponed: [], counts: { skipped: 0, failed: 0, postponed: 0, inFlight: 0 }, pages: 0 },
  inFlight: [],
  awaits: [],
  blocked: [],
  findings: [],
  phases: [{ phase: 'preflight', startedAt: '2026-11-22T22:00:00Z', endedAt: '2026-11-22T22:00:05Z' }],
  audit: [],
  problem: null,
  ...over,
});
const NOW = '2026-11-22T23:05:00.000Z';

describe('the status', () => {
  it('says first the state, then what blocks, then what to type', () => {
    const progress = { node: ref, step: 'drain' as const, since: '2026-11-22T23:01:00Z', paused: false, blockers: [{ object: 'Pod shop/cart', reason: 'PDB shop/cart needs 2 healthy, has 2', todo: 'add a replica' }] };
    const lines = renderStatus(status({ blocked: ['Pod shop/cart: PDB shop/cart needs 2 healthy, has 2'], inFlight: [progress] }), NOW).split('\n');
    expect(lines[0]).toBe('prod: RUNNING, step refresh since 2026-11-22 23:00:00Z (5 min)');
    expect(lines.indexOf('BLOCKED BY')).toBeLessThan(lines.indexOf('NEXT'));
    expect(lines.join('\n')).toContain('ciliate skip prod ip-1 --reason TEXT');
    expect(lines.join('\n')).toContain('ip-1 (i-1, z): drain for 4 min');
  });

  it('says what a step waits for', () => {
    const text = renderStatus(status({ awaits: [{ object: 'DaemonSet kube-system/aws-node', reason: '2 of 3 rolled out', todo: 'Nothing.' }] }), NOW);
    expect(text).toContain('WAITS FOR\n  DaemonSet kube-system/aws-node: 2 of 3 rolled out');
  });

  it('at a gate shows what is approved and how', () => {
    const text = renderStatus(status({ state: 'waiting-approval', gate: { gate: 'after-canary', digest: 'abcdef0123456789', shows: ['canary ip-1 refreshed'], since: NOW } }), NOW);
    expect(text).toContain('GATE after-canary');
    expect(text).toContain('- canary ip-1 refreshed');
    expect(text).toContain('ciliate approve prod after-canary --reason TEXT');
  });

  it('at a node\'s gate force shows each pod, its owner and budget, since when, and the line to type; beside another gate too', () => {
    const pod = { uid: 'u', namespace: 'shop', name: 'db-0', owner: 'StatefulSet db', budget: 'shop/db', reason: 'PDB shop/db needs 1 healthy, has 1', since: '2026-11-22T22:30:00Z' };
    const forces = [{ node: ref, digest: 'abcdef0123456789', pods: [pod], since: '2026-11-22T23:00:00Z' }];
    const command = 'ciliate approve prod force --node ip-1 --pod shop/db-0 --reason TEXT';
    const text = renderStatus(status({ forces }), NOW);
    expect(text).toContain('GATE force of ip-1, open since 2026-11-22 23:00:00Z (5 min), digest abcdef012345');
    expect(text).toContain('- Pod shop/db-0 of StatefulSet db: PDB shop/db needs 1 healthy, has 1, since 2026-11-22T22:30:00Z');
    expect(text).toContain(command);
    const gate = { gate: 'after-canary' as const, digest: 'd', shows: [], since: NOW };
    expect(nextCommands(status({ state: 'waiting-approval', gate, forces }))).toEqual(['ciliate approve prod after-canary --reason TEXT', command, 'ciliate abort prod --reason TEXT']);
  });

  it.each<RunState>(['running', 'paused', 'waiting-approval', 'aborting', 'done', 'partial', 'failed', 'aborted'])('%s: there is always something to type', (state) => {
    expect(nextCommands(status({ state })).length).toBeGreaterThan(0);
    expect(renderStatus(status({ state }), NOW)).toContain('NEXT');
  });

  it('as JSON is the answer of the query', () => expect(JSON.parse(renderStatus(status(), NOW, 'json'))).toEqual(status()));
});

const report: MigrationReport = {
  version: 1,
  ciliate: '0.1.0',
  migration: 'prod',
  workflowId: 'cilium-migration/prod',
  state: 'done',
  startedAt: '2026-11-22T22:00:00Z',
  endedAt: '2026-11-22T23:00:00Z',
  problem: null,
  cilium: { version: '1.20.0', chartSha256: 'a'.repeat(64) },
  counts: { aws: 0, cilium: 3, pending: 0 },
  phases: [{ phase: 'preflight', startedAt: '2026-11-22T22:00:00Z', endedAt: '2026-11-22T22:00:05Z', note: 'no | blocker' }],
  nodes: [
    {
      node: ref,
      outcome: 'refreshed',
      replacement: { name: 'ip-2', instanceId: 'i-2', zone: 'z' },
      startedAt: '2026-11-22T22:10:00Z',
      endedAt: '2026-11-22T22:14:30Z',
      seconds: { drain: 61.26, terminate: 3 },
      evictedPods: 7,
    },
  ],
  tally: { refreshed: 1 },
  filed: null,
  findings: [],
  audit: [{ at: '2026-11-22T22:05:00Z', verb: 'approve', by: 'ana@host', reason: 'looks good', on: 'before-install', digest: 'f'.repeat(64) }],
  proofs: ['no labelled node'],
  notes: ['scheduled action nightly was missed'],
  finalValues: 'eni:\n  enabled: true\n',
};

describe('the report', () => {
  const text = renderReport(report, 'markdown');
  it('says what happened to each node, how long each step took, and who approved what', () => {
    expect(text).toContain('# Migration of prod to Cilium: done');
    expect(text).toContain('| 1 | ip-1 (i-1) | z | refreshed | ip-2 (i-2, z) | 2026-11-22 22:10:00Z | 4 min 30 s | 7 |');
    expect(text).toContain('| ip-1 | 61.3 | 3 |');
    expect(text).toContain('| 2026-11-22 22:05:00Z | ana@host | approve | before-install | looks good | ffffffffffff |');
    expect(text).toContain('- no labelled node');
    expect(text).toContain('```yaml\neni:\n  enabled: true\n```');
  });
  it('keeps table cells in their place', () => expect(text).toContain('no \\| blocker'));
  it('as JSON is what the workflow returned', () => expect(JSON.parse(renderReport(report, 'json'))).toEqual(report));
});

describe('text', () => {
  it('durations', () => expect([0, 59.4, 60, 61, 3600, 3900].map(duration)).toEqual(['0 s', '59 s', '1 min', '1 min 1 s', '1 h', '1 h 5 min']));
  it('columns line up, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z]{0,12}$/), fc.stringMatching(/^[a-z]{1,5}$/)), { minLength: 1 }), (rows) => {
        const lines = columns(['A', 'B'], rows);
        const at = lines[0]?.indexOf('B') ?? -1;
        rows.forEach(([, b], index) => expect(lines[index + 1]?.slice(at)).toBe(b));
      }),
    );
  });
  it('Markdown cells stay one line and one cell', () => {
    fc.assert(fc.property(fc.string(), (cell) => {
      expect(markdownCell(cell)).not.toContain('\n');
      expect(markdownTable(['h'], [[cell]])).toHaveLength(3);
    }));
  });
  it('wrapping loses no word', () => {
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z]{1,20}$/)), (words) => {
      expect(wrap(words.join(' '), '  ', 30).join(' ').split(/\s+/).filter(Boolean)).toEqual(words);
    }));
  });
});
