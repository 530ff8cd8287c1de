import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManifestInput } from '../../domain/spec/schema.js';
import { CHAIN_PHASES, CLEAN_PHASES } from '../../domain/status.js';
import { abortUpdate, approveUpdate, pauseSignal, resumeSignal } from '../../workflows/messages.js';
import { FakeCluster, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };
const LIMITS = ['l7: limited', 'ipsec: limited'];

function chainable(...names: string[]): FakeCluster {
  const cluster = new FakeCluster(2);
  cluster.plan = { nodes: 0, limits: LIMITS };
  cluster.owners = names.map((name) => ({ kind: 'Deployment', namespace: 'shop', name }));
  return cluster;
}
const chain = (name: string, spec: Partial<ManifestInput['spec']> = {}) => manifest(name, { strategy: 'chain', chain: { acceptLimits: ['l7', 'ipsec'] }, approvals: [], ...spec });

describe.concurrent('strategy chain', () => {
  it('waits for the limits to be accepted before its first write, then restarts owner by owner and enforces last', async () => {
    const cluster = chainable('a', 'b');
    cluster.bare = ['shop/bare'];
    const report = await harness.run(cluster, chain('limits', { chain: {} }), async (handle) => {
      const { gate } = await statusWhere(handle, (status) => status.gate !== null);
      expect(gate).toMatchObject({ gate: 'accept-limits', shows: LIMITS });
      expect(cluster.lease).toBeNull();
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'accept-limits', digest: gate?.digest ?? '', ...me }] });
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'done', problem: null, strategy: 'chain', nodes: [] });
    expect(report.phases.map(({ phase }) => phase)).toEqual([...CHAIN_PHASES]);
    expect(report.phases.find(({ phase }) => phase === 'restart')?.note).toBe('2 workloads restarted, 2 pods evicted');
    expect(report.notes.join()).toContain('shop/bare');
    expect(cluster.restarted).toEqual(['a', 'b']);
    expect(cluster.calls.filter((call) => /Aws|Guards|terminate/.test(call) && call !== 'giveBackGuards')).toEqual([]);
    expect(cluster.snapshot()).toMatchObject({ awsNode: 'everywhere', cilium: 'final', lease: null, cordoned: 0, labelled: 0 });
    expect(cluster.violations).toEqual([]);
  });

  it('passes one over that takes too long, tries it once more at the end, and ends partial with its name; the others are done', async () => {
    const cluster = chainable('a', 'stuck', 'z');
    cluster.stuck.add('stuck');
    cluster.block('lookRestarted');
    const report = await harness.run(cluster, chain('late', { drain: { timeLimitSeconds: 5 } }), async (handle) => {
      const { blocked } = await statusWhere(handle, (status) => status.blocked.length > 0);
      expect(blocked.join()).toContain('PDB shop/cart needs 2 healthy');
      return handle.result();
    });
    expect(report.state).toBe('partial');
    expect(report.problem).toContain('Deployment shop/stuck');
    expect(cluster.restarted).toEqual(['a', 'z']);
    expect(cluster.snapshot()).toMatchObject({ cilium: 'migration', lease: null });
  });

  it('stops between owners when it is paused, and goes on; an abort leaves Cilium chained and says so', async () => {
    const cluster = chainable('a', 'b');
    cluster.stuck.add('b');
    cluster.block('lookRestarted');
    const report = await harness.run(cluster, chain('stop'), async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.signal(pauseSignal, me);
      cluster.blocked.delete('lookRestarted');
      cluster.stuck.delete('b');
      cluster.owners.push({ kind: 'Deployment', namespace: 'shop', name: 'c' });
      await statusWhere(handle, (status) => status.state === 'paused' && cluster.restarted.length === 2);
      expect(cluster.restarted).toEqual(['a', 'b']);
      cluster.stuck.add('c');
      cluster.block('lookRestarted');
      await handle.signal(resumeSignal, me);
      await statusWhere(handle, (status) => status.state === 'running' && status.blocked.length > 0);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.notes.join()).toContain('Cilium stays chained');
    expect(cluster.snapshot()).toMatchObject({ cilium: 'migration', lease: null });
    expect(cluster.calls).not.toContain('unwindInstall');
  });

  it('goes on where its worker died, replaying every task', async () => {
    const cluster = chainable('a', 'b');
    const worker = await harness.worker(cluster, 'chain-replayed', 0);
    const report = await worker.runUntil(async () => (await harness.start(chain('replayed'), 'chain-replayed')).result());
    expect(report.state).toBe('done');
    expect(cluster.restarted).toEqual(['a', 'b']);
  });
});

describe.concurrent('strategy clean', () => {
  it('shuts the nodes, takes aws-node away, and only then installs Cilium and replaces them', async () => {
    const cluster = new FakeCluster(2);
    const report = await harness.run(cluster, manifest('clean', { strategy: 'clean', approvals: ['before-removal'] }), async (handle) => {
      const { gate } = await statusWhere(handle, (status) => status.gate !== null);
      expect(gate?.gate).toBe('before-removal');
      expect(cluster.calls).not.toContain('shutOldNodes');
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'before-removal', digest: gate?.digest ?? '', ...me }] });
      return handle.result();
    });
    expect(report).toMatchObject({ state: 'done', problem: null, strategy: 'clean', tally: { refreshed: 2 } });
    expect(report.phases.map(({ phase }) => phase)).toEqual([...CLEAN_PHASES]);
    const order = ['shutOldNodes', 'removeAwsNode', 'ensureCilium', 'terminateNode'].map((call) => cluster.calls.indexOf(call));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(cluster.snapshot()).toMatchObject({ awsNode: 'gone', cilium: 'final', lease: null, labelled: 0, guards: [] });
    expect(cluster.violations).toEqual([]);
  });

  it('that fails between the removal and the install says what is true of its nodes', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookCilium');
    const report = await harness.run(cluster, manifest('torn', { strategy: 'clean', approvals: [] }), async (handle) => {
      await statusWhere(handle, (status) => status.phase === 'install' && status.blocked.length > 0);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.notes.join()).toContain('nodes without Cilium start no new pod until the same start goes on');
    expect(cluster.calls).not.toContain('unwindInstall');
  });
});
