import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1Node } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities, CiliumRequest, Look, NodeRequest, Target } from '../../activities/api.js';
import { ClientPool } from '../../activities/clients/index.js';
import type { Clients, TemporalGateway } from '../../activities/clients/index.js';
import { toFailure } from '../../activities/failures.js';
import { createActivities } from '../../activities/index.js';
import { startRamp } from '../../domain/pool/ramp.js';
import { cordonNode } from '../../activities/kubernetes/cordonNode.js';
import { forceRelease } from '../../activities/kubernetes/release.js';
import type { NodeRef } from '../../domain/plan.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import { startLab } from '../../lab/index.js';
import type { Lab } from '../../lab/index.js';
import { anyChart } from '../support/field.js';

const BRIEF = { bootDelay: 100, agentDelay: 100, podStartDelay: 50, terminationDelay: 50, instanceTerminationDelay: 200, addonDelay: 100 } as const;
const LB = 'node.kubernetes.io/exclude-from-external-load-balancers';
let lab: Lab;
let acts: Activities;
let clients: Clients;
let target: Target;
let request: CiliumRequest;
/** What the fake Temporal says of any workflow. */
let runs: 'open' | 'closed' | 'unknown' = 'open';
const temporal: TemporalGateway = { namespace: 'default', temporalClusterId: () => Promise.resolve('t1'), describe: () => Promise.resolve(runs), searchAttributes: () => Promise.resolve(false) };

beforeAll(async () => {
  lab = await startLab({ name: `acts-${String(process.pid)}`, nodes: 3, awsNode: 'selfmanaged', ...BRIEF, ownerPid: process.pid });
  Object.assign(process.env, lab.env, { PATH: `${lab.toolsDir}:${process.env['PATH'] ?? ''}` });
  const pool = new ClientPool();
  const cluster = { kubeconfig: lab.kubeconfig, region: lab.region };
  acts = createActivities({ pool, temporal, cacheDir: `${lab.dir}/charts` });
  clients = await pool.for(cluster);
  target = { migration: 'acts', cluster, holder: 't1/default/cilium-migration/acts' };
  const manifest = manifestSchema.parse({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name: 'acts' }, spec: { cluster, cilium: { version: '1.20.0', chart: anyChart() } } });
  const plan = await acts.preflight({ target, manifest });
  expect(plan.blocked).toBe(false);
  request = { target, manifest, plan, phase: 'migration' };
});

afterAll(async () => lab?.stop());

/** Repeats a look as Temporal's retries do. */
const prepare = (on: NodeRequest) => until((known) => acts.prepareNode({ ...on, surplus: false, known }));

async function until<T extends Look>(look: (known: string) => Promise<T>, seconds = 180): Promise<T> {
  let known = '';
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    try {
      const seen = await look(known);
      if (seen.done) return seen;
      known = seen.seen;
    } catch (error) {
      if (toFailure(error).nonRetryable === true) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`not done after ${seconds} s`);
}
const node = (name: string): Promise<V1Node> => clients.kube.core.readNode({ name });
const cordon = (name: string, unschedulable: boolean): Promise<V1Node> =>
  clients.kube.core.patchNode({ name, body: { spec: { unschedulable } }, fieldManager: 'kubectl-cordon' }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
const suspended = async (): Promise<string[]> => {
  const { AutoScalingGroups = [] } = await new AutoScalingClient({}).send(new DescribeAutoScalingGroupsCommand({}));
  return AutoScalingGroups.flatMap((group) => group.SuspendedProcesses ?? []).map((process) => process.ProcessName ?? '').sort();
};
const next = async (): Promise<NodeRef> => {
  const { start } = await until((known) => acts.admitNodes({ target, refresh: request.manifest.spec.refresh, ramp: startRamp(false), exclude: [], later: [], flights: [], known }));
  const [first] = start;
  if (first === undefined) throw new Error('no node left');
  return first.node;
};

describe('the Lease', () => {
  const other = (): Target => ({ ...target, holder: 't1/default/cilium-migration/other' });

  it('is refused while its run is open, by name, and taken over once that has ended', async () => {
    await acts.takeLease({ target: other() });
    await expect(acts.takeLease({ target })).rejects.toThrow(/the running workflow cilium-migration\/other/);
    runs = 'unknown';
    expect(await acts.takeLease({ target })).toEqual({ tookOverFrom: other().holder });
    expect(await acts.takeLease({ target })).toEqual({ tookOverFrom: null });
    runs = 'open';
  });

  it('stops everything that writes in a run that has lost it', async () => {
    for (const write of [acts.labelNodes, acts.saveCni, acts.restrictAwsNode, acts.renewLease]) {
      expect(toFailure(await write({ target: other() }).catch((error: unknown) => error)).details).toEqual([expect.objectContaining({ code: 'LeaseLost' })]);
    }
    await acts.releaseLease({ target: other() });
    await acts.renewLease({ target });
  });

  it('of another Temporal yields only to release with that very holder', async () => {
    await acts.releaseLease({ target });
    const foreign = { ...target, holder: 'elsewhere/default/cilium-migration/acts' };
    await acts.takeLease({ target: foreign });
    await expect(acts.takeLease({ target })).rejects.toThrow(/ciliate release acts --holder elsewhere\/default\/cilium-migration\/acts/);
    await expect(forceRelease(clients, { temporal })).rejects.toThrow(/--holder elsewhere/);
    await expect(forceRelease(clients, { holder: 'wrong/default/w' })).rejects.toThrow(/holder wrong/);
    expect(await forceRelease(clients, { holder: foreign.holder })).toMatchObject({ holder: foreign.holder });
    await acts.takeLease({ target });
  });
});

describe('guards', () => {
  it('are taken once, given back by set, and all by release', async () => {
    const before = await suspended();
    await acts.holdGuards({ target, set: 'whole' });
    const { taken } = await acts.holdGuards({ target, set: 'changing' });
    expect(taken).toHaveLength(2 + 3);
    expect(await acts.holdGuards({ target, set: 'changing' })).toEqual({ taken: [] });
    expect(await suspended()).toEqual(['AZRebalance', 'AlarmNotification', 'ScheduledActions']);
    expect((await acts.giveBackGuards({ target, set: 'changing' })).given).toHaveLength(5);
    expect(await suspended()).toEqual(['AZRebalance']);
    await forceRelease(clients, { holder: target.holder });
    expect(await suspended()).toEqual(before);
    await acts.takeLease({ target });
  });

  it('leave a cordon alone that somebody else made, before or after', async () => {
    await acts.labelNodes({ target });
    const ref = await next();
    await cordon(ref.name, true);
    await cordonNode(clients, ref);
    await acts.releaseNode({ target, node: ref });
    expect((await node(ref.name)).spec?.unschedulable).toBe(true);
    expect((await node(ref.name)).metadata?.labels?.[LB]).toBeUndefined();

    await cordon(ref.name, false);
    await cordonNode(clients, ref);
    await cordon(ref.name, false);
    await cordon(ref.name, true);
    await acts.releaseNode({ target, node: ref });
    expect((await node(ref.name)).spec?.unschedulable).toBe(true);
    await cordon(ref.name, false);
  });

  it('never touch a node of the same name with another UID', async () => {
    const ref = await next();
    const stranger = { ...ref, uid: '00000000-0000-0000-0000-000000000000' };
    expect(await prepare({ target, node: stranger })).toMatchObject({ situation: { state: 'gone' }, workloads: [] });
    expect((await node(ref.name)).spec?.unschedulable).toBeUndefined();
    expect(await acts.lookDrained({ target, node: stranger, drain: request.manifest.spec.drain, known: '' })).toMatchObject({ done: true, evicted: 0 });
    expect(await acts.lookNodeGone({ target, node: stranger, terminatedAt: new Date(0).toISOString(), known: '' })).toMatchObject({ done: true });
    await node(ref.name);
  });
});

describe('an install that is unwound', () => {
  const affinity = async (): Promise<unknown> => (await clients.kube.apps.readNamespacedDaemonSet({ namespace: 'kube-system', name: 'aws-node' })).spec?.template.spec?.affinity;

  it('puts aws-node and the labels back as they were, while no node has run Cilium', async () => {
    const before = await affinity();
    await acts.saveCni({ target });
    expect(await acts.restrictAwsNode({ target })).toEqual({ how: 'patched' });
    await until((known) => acts.lookAwsNodeRestricted({ target, known }));
    expect(await acts.restrictAwsNode({ target })).toEqual({ how: 'already' });
    await acts.ensureCilium(request);
    expect(await until((known) => acts.lookCilium({ ...request, known }))).toMatchObject({ agents: 0 });
    const unwind = async (): Promise<boolean> => acts.unwindInstall({ target }).then(({ unwound }) => unwound, (error: unknown) => (toFailure(error).type === 'NotYet' ? unwind() : Promise.reject(error)));
    expect(await unwind()).toBe(true);
    expect(await affinity()).toEqual(before);
    expect((await clients.kube.core.listNode({ labelSelector: 'cni-plugin' })).items).toEqual([]);
    expect(await unwind()).toBe(true);
  });
});

describe('a refresh', () => {
  it('labels, restricts and installs once more', async () => {
    await acts.saveCni({ target });
    expect(await acts.labelNodes({ target })).toMatchObject({ labelled: 3 });
    await acts.restrictAwsNode({ target });
    await until((known) => acts.lookAwsNodeRestricted({ target, known }));
    await acts.ensureCilium(request);
    await until((known) => acts.lookCilium({ ...request, known }));
    expect(await acts.ensureCilium(request)).toMatchObject({ changed: false });
  });

  it('says which budget blocks a drain and what would free it; goes on when it is free', async () => {
    const ref = await next();
    const on: NodeRequest = { target, node: ref };
    const { workloads } = await prepare(on);
    const [pod] = (await clients.kube.core.listNamespacedPod({ namespace: 'shop', fieldSelector: `spec.nodeName=${ref.name}` })).items;
    const app = pod?.metadata?.labels ?? {};
    const pdb = { metadata: { name: 'never', namespace: 'shop' }, spec: { maxUnavailable: 0, selector: { matchLabels: { app: app['app'] ?? '' } } } };
    const existing = (await clients.kube.policy.listNamespacedPodDisruptionBudget({ namespace: 'shop' })).items.filter((each) => each.spec?.selector?.matchLabels?.['app'] === app['app']);
    for (const each of existing) await clients.kube.policy.deleteNamespacedPodDisruptionBudget({ namespace: 'shop', name: each.metadata?.name ?? '' });
    await clients.kube.policy.createNamespacedPodDisruptionBudget({ namespace: 'shop', body: pdb });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const drained = (known: string) => acts.lookDrained({ ...on, drain: request.manifest.spec.drain, known });
    const because = /PDB shop\/never needs \d healthy, has \d \(owner \w+ \w+\)\. It never allows an eviction/;
    const { seen, done, blockers } = await drained('');
    expect([done, JSON.stringify(blockers)]).toEqual([false, expect.not.stringContaining('never')]);
    // Young refusals stand in the pending activity's failure only; after 5 s they are news, over all attempts.
    // Scheduled a while ago: an attempt that is no longer young does not linger (activities/linger.ts).
    const first = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - 50_000 });
    let carried: unknown;
    first.on('heartbeat', (details: unknown) => (carried = details));
    expect(toFailure(await first.run(drained, seen).catch((error: unknown) => error))).toMatchObject({ type: 'NotYet', message: expect.stringMatching(because) as string });
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    const told = (await new MockActivityEnvironment({ heartbeatDetails: carried, scheduledTimestampMs: Date.now() }).run(drained, seen)) as Look;
    expect(told.blockers.map(({ reason, todo }) => `${reason}. ${todo}`)).toContainEqual(expect.stringMatching(because));
    expect(toFailure(await drained(told.seen).catch((error: unknown) => error)).type).toBe('NotYet');
    await clients.kube.policy.deleteNamespacedPodDisruptionBudget({ namespace: 'shop', name: 'never' });
    await until(drained);
    await replaced(on, workloads);
  });

  it('converges: every call that writes may be repeated', async () => {
    const on: NodeRequest = { target, node: await next() };
    const { workloads } = await prepare(on);
    await until((known) => acts.lookDrained({ ...on, drain: request.manifest.spec.drain, known }));
    await replaced(on, workloads);
    expect(await prepare(on)).toMatchObject({ situation: { state: 'gone' } });
  });

  it('names a leaked instance: Node gone, instance alive; and still terminates it', async () => {
    const ref = await next();
    const on: NodeRequest = { target, node: ref };
    const { workloads } = await prepare(on);
    await until((known) => acts.lookDrained({ ...on, drain: request.manifest.spec.drain, known }));
    await clients.kube.core.deleteNode({ name: ref.name });
    expect(await prepare(on)).toMatchObject({ situation: { state: 'node-gone' } });
    await replaced(on, workloads);
  });

  it('proves, enforces, removes and finishes', async () => {
    expect(await acts.countNodes({ target })).toEqual({ aws: 0, cilium: 3, pending: 0 });
    const { digest } = await until((known) => acts.lookProven({ target, known }));
    const enforcement: CiliumRequest = { ...request, phase: 'enforcement' };
    expect(await acts.ensureCilium(enforcement)).toMatchObject({ changed: true });
    expect(await until((known) => acts.lookCilium({ ...enforcement, known }))).toMatchObject({ agents: 3 });
    await expect(acts.ensureCilium({ ...request, phase: 'final' })).rejects.toThrow(/expected it to be gone/);
    expect((await until((known) => acts.lookProven({ target, known }))).digest).toBe(digest);
    expect(await acts.removeAwsNode({ target })).toEqual({ removed: ['DaemonSet kube-system/aws-node'] });
    await until((known) => acts.lookAwsNodeGone({ target, known }));
    expect(await acts.removeAwsNode({ target })).toEqual({ removed: [] });
    await acts.ensureCilium({ ...request, phase: 'final' });
    await until((known) => acts.lookCilium({ ...request, phase: 'final', known }));
    expect((await until((known) => acts.lookProven({ target, known }))).unmanaged).toBe(0);
    expect(await acts.giveBackGuards({ target, set: 'whole' })).toMatchObject({ left: [], missed: [] });
    await acts.releaseLease({ target });
    const names = (await clients.kube.core.listNamespacedConfigMap({ namespace: 'kube-system' })).items.map(({ metadata }) => metadata?.name);
    expect(names).toContain('ciliate-cni');
    expect(names.filter((name) => name?.startsWith('ciliate-guards'))).toEqual([]);
  });

  it('would not unwind any more', async () => {
    await acts.takeLease({ target });
    expect(await acts.unwindInstall({ target })).toMatchObject({ unwound: false });
    await acts.releaseLease({ target });
  });

  /** From termination to workloads, each writing call twice. */
  async function replaced(on: NodeRequest, workloads: Awaited<ReturnType<Activities['prepareNode']>>['workloads']): Promise<void> {
    const first = await acts.terminateNode({ ...on, decrement: false });
    const { instancesBefore } = await acts.terminateNode({ ...on, decrement: false });
    expect(instancesBefore).toEqual(first.instancesBefore);
    const { terminatedAt } = await until((known) => acts.lookTerminated({ ...on, known }));
    await until((known) => acts.lookNodeGone({ ...on, terminatedAt: terminatedAt ?? '', known }), 90);
    await acts.releaseNode(on);
    await acts.releaseNode(on);
    const { replacement } = await until((known) => acts.lookReplacement({ ...on, instancesBefore, known }));
    expect(instancesBefore).not.toContain(replacement?.instanceId);
    expect(replacement?.zone).toBe(on.node.zone);
    await until((known) => acts.lookWorkloads({ ...on, workloads, known }));
  }
});

describe('an EKS reference', () => {
  it('needs no kubeconfig: endpoint, CA and token come from AWS', async () => {
    const eks = await new ClientPool().for({ eks: { name: lab.clusterName, region: lab.region } });
    expect((await eks.kube.core.listNode()).items).toHaveLength(3);
  });
});
