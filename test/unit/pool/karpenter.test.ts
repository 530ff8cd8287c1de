import { describe, expect, it } from 'vitest';
import { admit } from '../../../domain/pool/admit.js';
import { startRamp } from '../../../domain/pool/ramp.js';
import { survey } from '../../../domain/pool/survey.js';
import type { SeenNode, Survey } from '../../../domain/pool/survey.js';
import { refreshSchema } from '../../../domain/spec/schema.js';

const NODE_POOL = 'karpenter/default';
const node = (id: number, group: string, over: Partial<SeenNode> = {}): SeenNode => ({
  ref: { name: `node-${id}`, uid: `uid-${id}`, instanceId: `i-${id}`, group, zone: 'a' },
  labels: {},
  created: id,
  old: true,
  usable: true,
  hostsOperator: false,
  ...over,
});
const flight = (id: number, group = NODE_POOL) => ({ instanceId: `i-${id}`, group, draining: false, decrement: false });
const nodePool = { name: NODE_POOL, desired: null, inService: [] };
const seen = (over: Partial<Survey>, refresh: object = {}): Survey => ({
  nodes: [],
  pods: [],
  budgets: [],
  groups: [nodePool],
  flights: [],
  decremented: new Set(),
  exclude: [],
  later: [],
  ramp: startRamp(false),
  refresh: refreshSchema.parse(refresh),
  ...over,
});
const started = (input: Survey): string[] => admit(survey(input).view).start.map(({ node: { name } }) => name);
const surging = { maxSurge: 1, maxUnavailable: 0 };

describe('a NodePool of Karpenter in the pool', () => {
  const three = [node(1, NODE_POOL), node(2, NODE_POOL), node(3, NODE_POOL)];
  it('wants the nodes that it has: no more of them are missing than may be', () => {
    expect(started(seen({ nodes: three }))).toEqual(['node-1']);
    const cordoned = [node(1, NODE_POOL, { usable: false }), ...three.slice(1)];
    expect(started(seen({ nodes: cordoned, flights: [flight(1)] }))).toEqual([]);
    expect(started(seen({ nodes: three.slice(1), flights: [flight(1)] }, { maxUnavailable: 2 }))).toEqual(['node-2']);
  });
  it('counts a node in flight until its end, also where its Node is gone', () => {
    expect(survey(seen({ nodes: three.slice(1), flights: [flight(1)] })).view.nodes).toEqual({ wanted: 3, usable: 2 });
  });
  it('does not hold the pool back for a node that was never replaced, or that is not usable', () => {
    expect(started(seen({ nodes: three.slice(1) }))).toEqual(['node-2']);
    expect(started(seen({ nodes: [...three.slice(1), node(4, NODE_POOL, { old: false, usable: false })] }))).toEqual(['node-2']);
  });
  it('alone goes on with maxUnavailable 0: what of the surge nobody takes may be missing', () => {
    expect(started(seen({ nodes: three }, surging))).toEqual(['node-1']);
    expect(started(seen({ nodes: three.slice(1), flights: [flight(1)] }, { maxSurge: 2, maxUnavailable: 0 }))).toEqual(['node-2']);
  });
});

describe('a mixed cluster', () => {
  const nodes = [node(1, NODE_POOL), node(2, 'workers'), node(3, 'workers')];
  const workers = { name: 'workers', desired: 2, inService: ['i-2', 'i-3'] };
  it('waits for the extra node of the group before a node of Karpenter goes', () => {
    const before = seen({ nodes, groups: [workers, nodePool] }, surging);
    expect(survey(before).oldNodes).toEqual([{ name: 'workers', oldNodes: 2 }]);
    expect(started(before)).toEqual([]);
    const grown = { ...workers, desired: 3, surge: { prior: 2, added: 1 } };
    const extra = node(4, 'workers', { old: false });
    expect(started(seen({ nodes: [...nodes, extra], groups: [grown, nodePool] }, surging))).toEqual(['node-2']);
  });
  it('keeps the extra node of the group until no node of Karpenter is left', () => {
    const grown = { name: 'workers', desired: 3, surge: { prior: 2, added: 1 }, inService: ['i-3', 'i-4', 'i-5'] };
    const left = [node(1, NODE_POOL), node(3, 'workers'), node(4, 'workers', { old: false }), node(5, 'workers', { old: false })];
    expect(admit(survey(seen({ nodes: left, groups: [grown, nodePool] }, surging)).view).start).toMatchObject([{ node: { name: 'node-1' }, decrement: false }]);
    expect(admit(survey(seen({ nodes: left.slice(1), groups: [grown, nodePool] }, surging)).view).start).toMatchObject([{ node: { name: 'node-3' }, decrement: true }]);
  });
});
