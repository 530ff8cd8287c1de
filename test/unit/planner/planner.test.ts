import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../domain/digest.js';
import { canaryText, enforcementText, installText, removalText } from '../../../domain/gates.js';
import type { ObservedCluster, ObservedNode } from '../../../domain/observation.js';
import type { Plan } from '../../../domain/plan.js';
import { candidates, orderNodes } from '../../../domain/plan/nodes.js';
import { affinityToSet, plan } from '../../../domain/planner.js';
import type { PlanInput } from '../../../domain/planner.js';
import type { NodeResult } from '../../../domain/refresh.js';
import { OUR_CILIUM, awsNode, cluster, group, manifest, node } from './cluster.js';

const CHART = { version: '1.20.0', sha256: 'a'.repeat(64), source: '/charts/cilium-1.20.0.tgz' };
const VALUES: Plan['values'] = { migration: { eni: { enabled: true } }, enforcement: {}, final: {} };
const input = (over: Partial<PlanInput> = {}): PlanInput => ({ manifest: manifest(), chart: CHART, values: VALUES, ...over });

/** Clusters of every shape: zones, groups, left-out nodes, nodes at any stage, nodes without instance. */
const anyNode: fc.Arbitrary<ObservedNode> = fc
  .record({
    index: fc.nat({ max: 100_000 }),
    zone: fc.constantFrom('a', 'b', 'c', undefined),
    group: fc.constantFrom('workers', 'spot', undefined),
    cni: fc.constantFrom('aws' as const, 'aws' as const, 'aws' as const, 'cilium' as const, 'none' as const, 'both' as const),
    label: fc.constantFrom(undefined, undefined, 'aws', 'other'),
    leftOut: fc.constantFrom(undefined, undefined, undefined, 'fargate' as const, 'karpenter' as const),
    ready: fc.boolean(),
  })
  .map(({ index, label, ...rest }) => node(index, { ...rest, labels: label === undefined ? {} : { 'cni-plugin': label } }));
const anyCluster: fc.Arbitrary<ObservedCluster> = fc
  .record({
    nodes: fc.uniqueArray(anyNode, { selector: ({ uid }) => uid, maxLength: 30 }),
    awsNode: fc.constantFrom(awsNode(), awsNode({ restricted: true }), null),
    cilium: fc.constantFrom(null, OUR_CILIUM, { ...OUR_CILIUM, release: null }),
    helm: fc.constantFrom({ version: 'v3.19.0' }, null),
    clusterAutoscaler: fc.boolean(),
  })
  .map((over) => cluster({ ...over, groups: [group(over.nodes)] }));
const RUNS = { numRuns: 1000 };

describe('a plan', () => {
  it('holds every node that must be refreshed exactly once, and no other', () => {
    fc.assert(
      fc.property(anyCluster, (seen) => {
        const planned = plan(seen, input());
        const eligible = seen.nodes.filter(
          (each) =>
            each.leftOut === undefined &&
            each.instanceId !== undefined &&
            each.group !== undefined &&
            each.zone !== undefined &&
            (each.cni === 'aws' || (each.cni === 'none' && each.labels['cni-plugin'] === 'aws')),
        );
        expect(planned.nodes.map(({ uid }) => uid).sort()).toEqual(eligible.map(({ uid }) => uid).sort());
      }),
      RUNS,
    );
  });

  it('never holds a node that runs Cilium, whatever its label', () => {
    fc.assert(
      fc.property(anyCluster, (seen) => {
        const onCilium = new Set(seen.nodes.filter(({ cni }) => cni === 'cilium' || cni === 'both').map(({ uid }) => uid));
        expect(plan(seen, input()).nodes.filter(({ uid }) => onCilium.has(uid))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('is the same for the same input, and its order is the same in whatever order the API listed the nodes', () => {
    fc.assert(
      fc.property(anyCluster, fc.integer(), (seen, seed) => {
        const once = plan(seen, input());
        expect(plan(structuredClone(seen), input())).toEqual(once);
        const shuffled = [...seen.nodes].sort((a, b) => ((a.name.length * 31 + seed) % 7) - ((b.name.length * 31 + seed) % 7)).reverse();
        expect(plan({ ...seen, nodes: shuffled }, input()).nodes).toEqual(once.nodes);
      }),
      RUNS,
    );
  });

  it('is blocked if and only if a blocker was found', () => {
    fc.assert(
      fc.property(anyCluster, (seen) => {
        const planned = plan(seen, input());
        expect(planned.blocked).toBe(planned.findings.some(({ severity }) => severity === 'blocker'));
      }),
      RUNS,
    );
  });

  it('is never done while a node in scope is not on Cilium', () => {
    fc.assert(
      fc.property(anyCluster, (seen) => {
        const { mode } = plan(seen, input());
        if (mode === 'done') expect(seen.nodes.filter((each) => each.leftOut === undefined && each.cni !== 'cilium')).toEqual([]);
      }),
      RUNS,
    );
  });

  it('accounts for each node: refreshed, left out, on Cilium, or named by a finding', () => {
    fc.assert(
      fc.property(anyCluster, (seen) => {
        const planned = plan(seen, input());
        const refreshed = new Set(planned.nodes.map(({ uid }) => uid));
        for (const each of seen.nodes) {
          const accounted =
            refreshed.has(each.uid) ||
            planned.leftOut.some(({ name }) => name === each.name) ||
            each.cni === 'cilium' ||
            planned.findings.some(({ id }) => ['node-unplaced', 'node-runs-both', 'node-without-agent'].includes(id)) ||
            planned.mode === 'done';
          expect(accounted).toBe(true);
        }
      }),
      RUNS,
    );
  });
});

describe('the order of nodes', () => {
  it('shrinks zones evenly: no zone is ever ahead of another by more than one share', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 }), { maxLength: 40 }), (zones) => {
        const refs = zones.map((zone, index) => ({ name: `n${index}`, uid: `${index}`, instanceId: `i-${index}`, group: 'g', zone: `z${zone}` }));
        const ordered = orderNodes(refs.map((ref) => ({ ref, hostsOperator: false, created: 0 })));
        const left = new Map<string, number>();
        for (const { zone } of refs) left.set(zone, (left.get(zone) ?? 0) + 1);
        for (const { zone } of ordered) {
          expect(left.get(zone)).toBe(Math.max(...left.values()));
          left.set(zone, (left.get(zone) ?? 0) - 1);
        }
      }),
      RUNS,
    );
  });

  it('leaves the nodes of the operator for the end', () => {
    const nodes = [node(1, { hostsOperator: true }), node(2), node(3), node(4)];
    expect(orderNodes(candidates(cluster({ nodes }))).at(-1)?.name).toBe('ip-10-0-0-1');
  });

  it('takes zones in turn', () => {
    const zones = orderNodes(candidates(cluster({ nodes: [1, 2, 3, 4, 5, 6].map((index) => node(index)) }))).map(({ zone }) => zone.slice(-1));
    expect(zones).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });
});

describe('the mode, from the cluster alone', () => {
  const mode = (over: Partial<ObservedCluster>): Plan['mode'] => plan(cluster(over), input()).mode;
  const onCilium = [1, 2, 3].map((index) => node(index, { cni: 'cilium' }));

  it('migrate: nothing of ours is there', () => expect(mode({})).toBe('migrate'));
  it('resume: one node is labelled', () => expect(mode({ nodes: [node(1, { labels: { 'cni-plugin': 'aws' } }), node(2)] })).toBe('resume'));
  it('resume: aws-node is confined', () => expect(mode({ awsNode: awsNode({ restricted: true }) })).toBe('resume'));
  it('resume: Cilium of ours is there', () => expect(mode({ cilium: OUR_CILIUM })).toBe('resume'));
  it('resume: all nodes are on Cilium, but aws-node is still there', () => expect(mode({ nodes: onCilium, cilium: OUR_CILIUM })).toBe('resume'));
  it('done: all nodes are on Cilium and aws-node is gone', () => expect(mode({ nodes: onCilium, cilium: OUR_CILIUM, awsNode: null })).toBe('done'));
  it('migrate and blocked: Cilium is somebody else\'s', () => {
    const planned = plan(cluster({ cilium: { ...OUR_CILIUM, release: null } }), input());
    expect([planned.mode, planned.blocked]).toEqual(['migrate', true]);
  });
});

describe('steps', () => {
  it('name what ends each node, and what is held meanwhile', () => {
    const nodes = [node(1), node(2), node(3, { group: 'karpenter/default', ends: 'NodeClaim of instance i-3 deleted in NodePool default' })];
    const nodePools = [{ name: 'default', labels: {}, taints: [], startupTaints: [], expireAfter: 'Never' }];
    const { steps } = plan(cluster({ nodes, nodePools }), input());
    const writes = (id: string) => steps.find((step) => step.id === id)?.writes ?? [];
    expect(writes('guard').filter((line) => line.includes('karpenter'))).toEqual([]);
    expect(writes('guard')).toContain('NodePool default: disruption budgets at 0 while nodes are changed');
    expect(writes('refresh')).toContain('Node ip-10-0-0-3: cordoned, drained, NodeClaim of instance i-3 deleted in NodePool default');
    expect(writes('refresh')).toContain('Node ip-10-0-0-1: cordoned, drained, instance i-1 terminated in workers');
  });
});

describe('gates', () => {
  it('asked for in the spec stand at their steps', () => {
    const gates = (approvals: Parameters<typeof manifest>[0]) => plan(cluster(), input({ manifest: manifest(approvals) })).steps.flatMap(({ id, gate }) => (gate ? [`${id}:${gate}`] : []));
    expect(gates({})).toEqual(['take:before-install', 'refresh:after-canary', 'enforce:before-enforcement', 'remove:before-removal']);
    expect(gates({ approvals: [] })).toEqual([]);
  });

  it('before-install: nodes that come and go do not change what is approved; chart, values and affinity do', () => {
    const digest = (over: Partial<ObservedCluster>, more: Partial<PlanInput> = {}) => plan(cluster(over), input(more)).installDigest;
    const base = digest({});
    expect(base).toMatch(/^[0-9a-f]{64}$/);
    expect(digest({ nodes: [node(1), node(2, { cni: 'cilium' }), node(9)] })).toBe(base);
    expect(digest({}, { chart: { ...CHART, sha256: 'b'.repeat(64) } })).not.toBe(base);
    expect(digest({}, { values: { ...VALUES, migration: { eni: { enabled: false } } } })).not.toBe(base);
    expect(digest({ awsNode: awsNode({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'os', operator: 'In', values: ['linux'] }] }] } } } }) })).not.toBe(base);
  });

  it('before-install: the digest stays the same once aws-node is confined', () => {
    const before = cluster();
    const after = cluster({ awsNode: awsNode({ affinity: affinityToSet(before), restricted: true }) });
    expect(plan(after, input()).installDigest).toBe(plan(before, input()).installDigest);
  });

  it('give texts that do not depend on the order of keys and never fit another gate', () => {
    expect(installText({ chartSha256: 'x', values: { a: 1, b: { c: 2, d: 3 } }, awsNodeAffinity: null })).toBe(
      installText({ awsNodeAffinity: null, values: { b: { d: 3, c: 2 }, a: 1 }, chartSha256: 'x' }),
    );
    const canary: NodeResult = {
      node: { name: 'n', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'z' },
      outcome: 'refreshed',
      replacement: { name: 'm', instanceId: 'i-2', zone: 'z' },
      startedAt: '1',
      endedAt: '2',
      seconds: { drain: 5 },
      evictedPods: 3,
    };
    expect(canaryText([{ ...canary, endedAt: '9', seconds: {} }])).toBe(canaryText([canary]));
    expect(canaryText([{ ...canary, outcome: 'unproven' }])).not.toBe(canaryText([canary]));
    const texts = [installText({ chartSha256: '', values: {}, awsNodeAffinity: null }), canaryText([canary]), enforcementText({}), removalText({ labelled: 0, awsNodeDesired: 0, unmanaged: 0 })];
    expect(new Set(texts.map(sha256Hex)).size).toBe(4);
  });
});

describe('masquerade', () => {
  const decide = (over: Partial<ObservedCluster>, cilium: object = {}) => plan(cluster(over), input({ manifest: manifest({ cilium: { version: '1.20.0', ...cilium } }) })).masquerade;
  const image = (osImage: string): Partial<ObservedCluster> => ({ nodes: [node(1, { osImage }), node(2, { osImage })] });

  it('auto follows AWS_VPC_K8S_CNI_EXTERNALSNAT', () => {
    expect(decide({ awsNode: awsNode({ env: { AWS_VPC_K8S_CNI_EXTERNALSNAT: 'true' } }) })).toMatchObject({ enabled: false });
    expect(decide({})).toMatchObject({ enabled: true, interfaces: 'eth0' });
  });
  it.each([
    ['Amazon Linux 2', 'eth0'],
    ['Amazon Linux 2 (Karoo)', 'eth0'],
    ['Bottlerocket OS 1.20.0 (aws-k8s-1.29)', 'eth0'],
    ['Amazon Linux 2023.6.20241010', 'ens+'],
    ['Ubuntu 22.04.4 LTS', 'ens+'],
  ])('%s: %s', (osImage, interfaces) => expect(decide(image(osImage))).toMatchObject({ enabled: true, interfaces }));
  it('the spec wins', () => {
    expect(decide({}, { masquerade: false })).toMatchObject({ enabled: false });
    expect(decide(image('NixOS'), { masquerade: true, masqueradeInterface: 'enp0s5' })).toMatchObject({ enabled: true, interfaces: 'enp0s5' });
  });
  it('keeps what the installed Cilium does, aws-node gone or not', () => {
    const off = { ...OUR_CILIUM, config: { masquerade: false, prefixDelegation: false } };
    expect(decide({ cilium: off })).toMatchObject({ enabled: false });
    expect(decide({ cilium: OUR_CILIUM, awsNode: null })).toMatchObject({ enabled: true, interfaces: 'eth0' });
  });
  it('does not guess: excluded CIDRs, unknown and mixed systems', () => {
    const blocked = (over: Partial<ObservedCluster>) => plan(cluster(over), input()).findings.some(({ id }) => id === 'masquerade-undecided');
    expect(blocked({ awsNode: awsNode({ env: { AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS: '10.8.0.0/16' } }) })).toBe(true);
    expect(blocked(image('NixOS'))).toBe(true);
    expect(blocked({ nodes: [node(1), node(2, { osImage: 'Amazon Linux 2023.6' })] })).toBe(true);
    expect(blocked({})).toBe(false);
  });
});
