import { AutoScalingClient, ResumeProcessesCommand, SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import { AppsV1Api, KubernetesObjectApi, PolicyV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterState } from '../support/clusterState.js';
import { Field } from '../support/field.js';
import { expectClean } from '../support/killing.js';

/** A singleton whose budget never allows an eviction: the commonest reason for a drain that never ends. */
const STUCK = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'stuck', namespace: 'shop' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'stuck' } },
      template: { metadata: { labels: { app: 'stuck' } }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } },
    },
  },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'stuck', namespace: 'shop' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'stuck' } } } },
];
/** Suspended by somebody else before we came, on one of the groups: it must stay so. */
const BEFORE_US = 'HealthCheck';

let field: Field;
let file: string;
let groups: string[];


describe('when things go wrong', () => {
  beforeAll(async () => {
    field = await Field.up({ nodes: 3, cloudController: 'slow', cloudControllerDelay: 1_000 });
    groups = (await field.lab.status()).groups.map((group) => group.name);
    file = field.spec('hard', { soakSeconds: 0 });
    const objects = KubernetesObjectApi.makeApiClient(field.kube);
    for (const object of STUCK) await objects.create(object);
    const apps = field.kube.makeApiClient(AppsV1Api);
    await vi.waitUntil(async () => (await apps.readNamespacedDeployment({ namespace: 'shop', name: 'stuck' })).status?.readyReplicas === 1, { timeout: 60_000 });
    await field.aws(AutoScalingClient).send(new SuspendProcessesCommand({ AutoScalingGroupName: groups[0], ScalingProcesses: [BEFORE_US] }));
    field.startWorker();
  });
  afterAll(() => field.down());

  let stuckNode = '';

  it('a drain that cannot end says which pod, whose, which budget, and what would free it', async () => {
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
    const status = await field.statusWhere('hard', ({ blocked }) => blocked.length > 0, 240_000);
    stuckNode = status.inFlight[0]?.node.name ?? '';
    expect(status.blocked.join('\n')).toMatch(/Pod shop\/stuck-.*PDB shop\/stuck needs 1 healthy, has 1 .*Deployment stuck/);
    expect(status.blocked.join('\n')).toContain('scale');
    const shown = await field.ciliate('status', 'hard');
    expect(shown.out).toContain('PDB shop/stuck');
  });

  it('a pause in the middle of a drain gives the cluster its life back, and keeps what is ours', async () => {
    expect((await field.ciliate('pause', 'hard', '--reason', 'look at it')).code).toBe(0);
    await field.statusWhere('hard', ({ inFlight }) => inFlight[0]?.paused === true);
    await expect.poll(async () => (await clusterState(field)).groups[0]?.suspended, { timeout: 20_000 }).toEqual(['AZRebalance', BEFORE_US]);
    expect((await clusterState(field)).cordoned).toBe(1);
    expect((await field.ciliate('pause', 'hard', '--reason', 'again')).code).toBe(1);
    expect((await field.ciliate('resume', 'hard', '--reason', 'go on')).code).toBe(0);
  });

  it('a skipped node is left as it was found; the run ends partial, and everything borrowed is given back', async () => {
    await field.statusWhere('hard', ({ inFlight, state }) => state === 'running' && inFlight[0]?.node.name === stuckNode);
    expect((await field.ciliate('skip', 'hard', stuckNode, '--reason', 'its owner is on holiday')).code).toBe(0);
    const report = await field.report('hard');
    expect(report.state).toBe('partial');
    expect(report.nodes.find((node) => node.node.name === stuckNode)?.outcome).toBe('handed-back');
    expect((await field.ciliate('status', 'hard', '--watch')).code).toBe(1);
    const state = await clusterState(field);
    expect(state).toMatchObject({ labelled: 1, cordoned: 0, leftovers: [], lease: null, guardsLedger: false, orphans: [], violations: [], killedPods: 0 });
    expect(state.groups[0]?.suspended).toEqual([BEFORE_US]);
    expect(state.agents.awsNode).toBe(true);
  });

  it('an abort in a drain does the same', async () => {
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
    await field.statusWhere('hard', ({ inFlight }) => inFlight[0]?.step === 'drain', 120_000);
    expect((await field.ciliate('abort', 'hard', '--reason', 'not today')).code).toBe(0);
    const report = await field.report('hard');
    expect(report.state).toBe('aborted');
    expect(await clusterState(field)).toMatchObject({ labelled: 1, cordoned: 0, leftovers: [], lease: null, guardsLedger: false, violations: [] });
  });

  it('the same start goes on from there, through outages of the API server, of AWS and of Temporal itself', async () => {
    await field.kube.makeApiClient(PolicyV1Api).deleteNamespacedPodDisruptionBudget({ namespace: 'shop', name: 'stuck' });
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
    await field.statusWhere('hard', ({ phase }) => phase === 'refresh', 120_000);
    await field.lab.faults.away('kubernetes', 8_000);
    await field.lab.faults.add({ target: 'aws', throttle: true, until: Date.now() + 15_000 });
    await field.restartTemporal();
    const report = await field.report('hard');
    expect(report).toMatchObject({ state: 'done', problem: null });
    await field.aws(AutoScalingClient).send(new ResumeProcessesCommand({ AutoScalingGroupName: groups[0], ScalingProcesses: [BEFORE_US] }));
    await expectClean(field);
  });
});
