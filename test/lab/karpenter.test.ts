import { CustomObjectsApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Field } from '../support/field.js';
import { pinToKarpenter } from '../support/karpenter.js';
import { expectClean } from '../support/killing.js';

const POOLS = { group: 'karpenter.sh', version: 'v1', plural: 'nodepools' } as const;
const CLAIMS = { ...POOLS, plural: 'nodeclaims' } as const;
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const BUDGETS = [{ nodes: '50%', reasons: ['Drifted', 'Empty'] }, { nodes: '0', schedule: '0 9 * * 1', duration: '8h' }, { nodes: '1' }];

interface Claim {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  status?: { conditions?: { type: string; status: string }[] };
}

let field: Field;
let custom: CustomObjectsApi;

const patchPool = (spec: object): Promise<unknown> => custom.patchClusterCustomObject({ ...POOLS, name: 'default', body: { spec } }, MERGE);
const budgets = async (): Promise<unknown> => ((await custom.getClusterCustomObject({ ...POOLS, name: 'default' })) as { spec: { disruption: { budgets: unknown } } }).spec.disruption.budgets;
const claims = async (): Promise<Claim[]> => ((await custom.listClusterCustomObject(CLAIMS)) as { items: Claim[] }).items;

describe('a mixed cluster: a managed node group, and nodes of Karpenter', () => {
  let before: Claim[];
  beforeAll(async () => {
    field = await Field.up({ groups: [{ name: 'workers', desired: 2 }], karpenter: 2 });
    custom = field.kube.makeApiClient(CustomObjectsApi);
    await patchPool({ disruption: { budgets: BUDGETS } });
    await pinToKarpenter(field.kube, 2);
    before = await claims();
    field.startWorker();
  });
  afterAll(() => field.down());

  it('is planned with a driver for each node, and says that there will be a dip', async () => {
    const { out, err } = await field.ciliate('plan', '-f', field.spec('mixed'), '-o', 'json');
    expect(err).toBe('');
    const plan = JSON.parse(out) as { blocked: boolean; nodes: { group: string }[]; leftOut: unknown[]; findings: { id: string }[] };
    expect(plan).toMatchObject({ blocked: false, leftOut: [] });
    expect(plan.nodes.filter(({ group }) => group === 'karpenter/default')).toHaveLength(2);
    expect(plan.findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['karpenter-dip', 'karpenter-expiry']));
  });

  it('holds the budgets at 0 while a NodeClaim goes: no node that has drifted is touched', async () => {
    const rule = await field.lab.faults.add({ target: 'kubernetes', method: 'DELETE', path: '/nodeclaims/', hold: true, count: 1 });
    const { code, err } = await field.ciliate('start', '-f', field.spec('mixed'));
    expect([code, err]).toEqual([0, '']);
    await field.lab.faults.waitFor(rule, { acted: true });
    expect(await budgets()).toEqual([{ nodes: '0' }]);
    // The evicted replica has asked for a node by now.
    await expect.poll(async () => (await claims()).length).toBe(3);
    const there = (await claims()).map(({ metadata }) => metadata.name).sort();
    await patchPool({ template: { metadata: { labels: { drift: 'yes' } } } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await claims()).filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name).sort()).toEqual(there);
    await patchPool({ template: { metadata: { labels: { drift: null } } } });
    await field.lab.faults.release(rule);
  });

  it('ends done with every node replaced by its own driver, and leaves nothing behind', async () => {
    const report = await field.report('mixed');
    expect(report).toMatchObject({ state: 'done', problem: null });
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed', 'refreshed', 'refreshed']);
    expect(report.nodes.every(({ replacement }) => replacement !== undefined)).toBe(true);
    expect(await field.lab.faults.counts()).toMatchObject({ 'aws autoscaling TerminateInstanceInAutoScalingGroup': 2 });
    const state = await expectClean(field);
    expect(state.agents).toEqual({ awsNode: false, cilium: '4/4' });
    expect(state.workloads).toMatchObject({ pinned: '2/2' });
    expect(await budgets()).toEqual(BUDGETS);
    const after = await claims();
    expect(after.map(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))).toEqual([true, true]);
    expect(after.filter(({ metadata }) => before.some((old) => old.metadata.uid === metadata.uid))).toEqual([]);
  });
});
