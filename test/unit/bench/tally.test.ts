import type { V1Deployment, V1Node, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { Tally, isUsable } from '../../bench/peers/tally.js';
import type { Cloud } from '../../bench/peers/tally.js';

/** The benchmark's observer judges by these rules, so they are tested without a cluster. */
const group = { name: 'workers', min: 1, max: 12, desired: 2, suspended: [] };
const OLD: Cloud = { groups: [group], living: ['i-1', 'i-2'] };

function node(name: string, rest: Partial<NonNullable<V1Node['spec']>> & { labels?: Record<string, string> } = {}): V1Node {
  const { labels = {}, ...spec } = rest;
  return { metadata: { name, uid: `uid-${name}`, labels }, spec, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
}

function pod(uid: string, { ready = true, ending = false, on = 'one' as string | undefined } = {}): V1Pod {
  const deletionTimestamp = ending ? new Date(0) : undefined;
  return {
    metadata: { uid, labels: { app: 'web' }, deletionTimestamp },
    spec: { nodeName: on, containers: [] },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

const web: V1Deployment = { metadata: { name: 'web' }, spec: { replicas: 2, selector: {}, template: {} } };
const budget: V1PodDisruptionBudget = { metadata: { name: 'web' }, spec: { maxUnavailable: 1 } };

function tally(): Tally {
  return new Tally({ nodes: [node('one'), node('two')], pods: [pod('a'), pod('b')], daemonSets: [], workloads: [web], budgets: [budget], cloud: OLD }, 0);
}

it('a node is usable while Ready, not cordoned and without a taint that keeps pods out', () => {
  expect(isUsable(node('x'))).toBe(true);
  expect(isUsable(node('x', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }))).toBe(true);
  expect(isUsable(node('x', { taints: [{ key: 'k', effect: 'NoExecute' }] }))).toBe(false);
  expect(isUsable(node('x', { unschedulable: true }))).toBe(false);
  expect(isUsable({ ...node('x'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } })).toBe(false);
});

it('the clock starts with the first mark on a node, not with what a kubelet says', () => {
  const seen = tally();
  seen.node('MODIFIED', { ...node('one'), metadata: { ...node('one').metadata, resourceVersion: '7' } }, 1_000);
  expect(seen.figures(1_500).firstChange).toBeUndefined();
  seen.node('MODIFIED', node('one', { labels: { 'cni-plugin': 'aws' } }), 2_000);
  seen.node('MODIFIED', node('one', { unschedulable: true }), 3_000);
  expect(seen.figures(4_000)).toMatchObject({ firstChange: 2_000, usable: { start: 2, lowest: 1, most: 2 }, usableOverTime: [[0, 2], [1, 1]] });
});

it('the clock starts with a size of a group as well', () => {
  const seen = tally();
  seen.cloud({ ...OLD, groups: [{ ...group, desired: 4 }] }, 500);
  expect(seen.figures(600).firstChange).toBe(500);
});

it('a pod counts once as disrupted, and as missing from its eviction until another is ready', () => {
  const seen = tally();
  seen.pod('MODIFIED', pod('a', { ending: true }), 1_000);
  seen.pod('ADDED', pod('c', { ready: false, on: undefined }), 1_100);
  seen.pod('DELETED', pod('a', { ending: true }), 4_000);
  seen.pod('MODIFIED', pod('c'), 5_000);
  expect(seen.figures(9_000)).toMatchObject({ disruptions: 1, replicas: 2, unavailableReplicaSeconds: 4, violations: [] });
});

it('a budget is violated once for each time that its workload falls below it', () => {
  const seen = tally();
  seen.pod('MODIFIED', pod('a', { ending: true }), 1_000);
  seen.pod('MODIFIED', pod('b', { ready: false }), 2_000);
  seen.pod('DELETED', pod('a'), 2_500);
  seen.pod('MODIFIED', pod('b'), 3_000);
  expect(seen.figures(4_000).violations).toEqual(['web: 0/1']);
});

it('all is back when old nodes and instances are gone and nodes, replicas and sizes are as before', () => {
  const seen = tally();
  for (const [index, name] of ['three', 'four'].entries()) seen.node('ADDED', node(name), 1_000 + index);
  seen.node('DELETED', node('one'), 2_000);
  seen.node('DELETED', node('two'), 2_000);
  expect(seen.isBack).toBe(false);
  seen.cloud({ groups: [{ ...group, max: 20 }], living: ['i-3', 'i-4'] }, 3_000);
  expect(seen.isBack).toBe(false);
  seen.cloud({ ...OLD, living: ['i-3', 'i-4'] }, 4_000);
  seen.node('MODIFIED', node('three', { unschedulable: true }), 5_000);
  expect(seen.figures(6_000)).toMatchObject({ firstChange: 1_000, back: 4_000 });
});

it('nodes are rolled before the processes of their groups are given back', () => {
  const seen = tally();
  for (const name of ['three', 'four']) seen.node('ADDED', node(name), 1_000);
  for (const name of ['one', 'two']) seen.node('DELETED', node(name), 2_000);
  seen.cloud({ groups: [{ ...group, suspended: ['AZRebalance'] }], living: ['i-3', 'i-4'] }, 3_000);
  seen.cloud({ ...OLD, living: ['i-3', 'i-4'] }, 8_000);
  expect(seen.figures(9_000)).toMatchObject({ rolled: 3_000, back: 8_000 });
});
