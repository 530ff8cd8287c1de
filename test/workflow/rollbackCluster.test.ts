import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAIN_ROLLBACK_PHASES, ROLLBACK_PHASES } from '../../domain/status.js';
import type { ManifestInput } from '../../domain/spec/schema.js';
import type { MigrationReport } from '../../domain/status.js';
import { abortUpdate, approveUpdate, reportQuery } from '../../workflows/messages.js';
import { FakeCluster, failure, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';
import type { MigrationHandle } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };

const back = <T>(cluster: FakeCluster, input: ManifestInput, steps: (handle: MigrationHandle) => Promise<T>): Promise<T> => harness.runRollback(cluster, input, steps);
const ended = (handle: MigrationHandle): Promise<MigrationReport> => handle.result().catch(() => handle.query(reportQuery));

const BEFORE = { cordoned: 0, labelled: 0, awsNode: 'everywhere', cilium: 'none', lease: null, guards: [] };

describe('a rollback', () => {
  it.each(['gone', 'restricted'] as const)('replaces every node of Cilium where aws-node is %s, uninstalls it, and gives everything back', async (awsNode) => {
    const cluster = FakeCluster.migrated(3, awsNode);
    const report = await back(cluster, manifest('back'), (handle) => handle.result());
    expect(cluster.violations).toEqual([]);
    expect(report).toMatchObject({ state: 'done', toward: 'aws-node', tally: { refreshed: 3 }, counts: { aws: 3, cilium: 0 } });
    expect(report.phases.map(({ phase }) => phase)).toEqual([...ROLLBACK_PHASES]);
    expect(cluster.snapshot()).toMatchObject({ ...BEFORE, zones: ['zone-a aws', 'zone-b aws', 'zone-c aws'] });
  });

  it('touches no node while none has run Cilium', async () => {
    const cluster = new FakeCluster(2);
    Object.assign(cluster, { awsNode: 'restricted', cilium: 'migration' });
    const report = await back(cluster, manifest('untouched'), (handle) => handle.result());
    expect(report.phases.map(({ phase }) => phase)).toEqual(['preflight', 'take', 'unwind']);
    expect(report.state).toBe('done');
    expect(cluster.snapshot()).toMatchObject(BEFORE);
    expect(cluster.calls).not.toContain('terminateNode');
  });

  it('has nothing to do where nothing was done', async () => {
    const cluster = new FakeCluster(1);
    expect((await back(cluster, manifest('nothing'), (handle) => handle.result())).state).toBe('done');
    expect(cluster.calls).not.toContain('takeLease');
  });

  it('waits for before-rollback before its first write, and for after-canary after the first node', async () => {
    const cluster = FakeCluster.migrated(2);
    await back(cluster, manifest('gates', { approvals: ['before-rollback', 'after-canary'] }), async (handle) => {
      const { gate } = await statusWhere(handle, (status) => status.gate?.gate === 'before-rollback');
      expect(gate?.shows).toEqual(['situation half-way']);
      expect(cluster.lease).toBeNull();
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'before-rollback', digest: gate?.digest ?? '', ...me }] });
      const status = await statusWhere(handle, (seen) => seen.gate?.gate === 'after-canary');
      expect(status.gate?.shows.join(' ')).toContain('is Ready on aws-node, without Cilium');
      expect(status).toMatchObject({ toward: 'aws-node', nodes: { done: 1, total: 2 } });
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'after-canary', digest: status.gate?.digest ?? '', ...me }] });
      await handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });

  it('that fails between the confinement and the return lets Cilium onto new nodes again: they would have no CNI', async () => {
    const cluster = FakeCluster.migrated(2);
    cluster.fail('restoreAwsNode', failure('NeedsHuman', 'nothing is saved'));
    const report = await back(cluster, manifest('early'), ended);
    expect(report).toMatchObject({ state: 'failed', problem: 'nothing is saved' });
    expect(report.notes).toContain('Cilium goes to new nodes again');
    expect(cluster.snapshot()).toMatchObject({ cilium: 'migration', awsNode: 'gone', lease: null, guards: [] });
    expect(cluster.violations).toEqual([]);
  });

  it('aborted half way: a start goes forward again, and a rollback back', async () => {
    const cluster = FakeCluster.migrated(3);
    await back(cluster, manifest('half', { approvals: ['after-canary'] }), async (handle) => {
      await statusWhere(handle, (status) => status.gate?.gate === 'after-canary');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      expect((await ended(handle)).state).toBe('aborted');
    });
    expect(cluster.snapshot()).toMatchObject({ cilium: 'rollback', awsNode: 'returned', lease: null, guards: [] });
    const forward = await harness.run(cluster, manifest('forward', { approvals: ['after-canary'] }), async (handle) => {
      await statusWhere(handle, (status) => status.gate?.gate === 'after-canary');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return ended(handle);
    });
    expect(forward.state).toBe('aborted');
    expect(cluster.marked).toBe(0);
    const report = await back(cluster, manifest('again'), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(cluster.violations).toEqual([]);
    expect(cluster.snapshot()).toMatchObject(BEFORE);
    expect(cluster.nodes.filter(({ instance, cni }) => instance === 'running' && cni === 'aws')).toHaveLength(3);
  });

  it('is partial where a node is skipped: Cilium stays for it', async () => {
    const cluster = FakeCluster.migrated(2);
    cluster.block('lookDrained');
    const report = await back(cluster, manifest('skip'), async (handle) => {
      const { inFlight } = await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.executeUpdate('skip', { args: [{ node: inFlight[0]?.node.instanceId, ...me }] });
      cluster.blocked.clear();
      return ended(handle);
    });
    expect(report).toMatchObject({ state: 'partial', problem: '1 nodes are still on Cilium; the same rollback goes on from here' });
    expect(cluster.snapshot()).toMatchObject({ cilium: 'rollback', awsNode: 'returned' });
  });
});

describe('a rollback from a chain', () => {
  const chain = (name: string, spec: Partial<ManifestInput['spec']> = {}) => manifest(name, { strategy: 'chain', chain: { acceptLimits: ['l7'] }, ...spec });

  it('replaces every node, keeps Cilium off new ones first, and never touches aws-node', async () => {
    const cluster = FakeCluster.chained(3);
    const report = await back(cluster, chain('off'), (handle) => handle.result());
    expect(cluster.violations).toEqual([]);
    expect(report).toMatchObject({ state: 'done', problem: null, toward: 'aws-node', strategy: 'chain', tally: { refreshed: 3 }, counts: { aws: 3, cilium: 0 } });
    expect(report.phases.map(({ phase }) => phase)).toEqual([...CHAIN_ROLLBACK_PHASES]);
    expect(cluster.calls.filter((call) => /restoreAwsNode|reopenCilium|restrictAwsNode|labelNodes/.test(call))).toEqual([]);
    expect(cluster.snapshot()).toMatchObject(BEFORE);
  });

  it('aborted half way says what new nodes get; a start chains again with the marks off, and a rollback goes on to the end', async () => {
    const cluster = FakeCluster.chained(3);
    const report = await back(cluster, chain('off-half', { approvals: ['after-canary'] }), async (handle) => {
      await statusWhere(handle, (status) => status.gate?.gate === 'after-canary');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return ended(handle);
    });
    expect(report.notes).toContain("new nodes come up on aws-node alone, old ones keep both; Cilium's policy enforcement is off until a start or a rollback goes on");
    expect(cluster.snapshot()).toMatchObject({ cilium: 'rollback', awsNode: 'everywhere', lease: null, guards: [] });
    expect(cluster.marked).toBe(2);
    cluster.plan = { limits: ['l7: limited'] };
    const forward = await harness.run(cluster, chain('on-again', { approvals: ['before-enforcement'] }), async (handle) => {
      await statusWhere(handle, (status) => status.gate?.gate === 'before-enforcement');
      expect([cluster.cilium, cluster.marked]).toEqual(['migration', 0]);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return ended(handle);
    });
    expect(forward.state).toBe('aborted');
    expect(await back(cluster, chain('off-again'), (handle) => handle.result())).toMatchObject({ state: 'done' });
    expect(cluster.snapshot()).toMatchObject(BEFORE);
    expect(cluster.violations).toEqual([]);
  });

  it('touches no node where no agent ever ran', async () => {
    const cluster = new FakeCluster(2);
    cluster.cilium = 'migration';
    const report = await back(cluster, chain('off-untouched'), (handle) => handle.result());
    expect(report.phases.map(({ phase }) => phase)).toEqual(['preflight', 'take', 'unwind']);
    expect(cluster.snapshot()).toMatchObject(BEFORE);
    expect(cluster.calls).not.toContain('terminateNode');
  });
});
