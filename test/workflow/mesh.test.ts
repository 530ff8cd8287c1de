import { randomUUID } from 'node:crypto';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MeshStatus } from '../../domain/mesh/run.js';
import { CONNECT_MESH, CROSS_CLUSTER_POLICY } from '../../domain/names.js';
import type { PolicyResult } from '../../domain/policy/run.js';
import { meshChanges, meshFakes, meshOrder, meshPlan, meshProof, policyFakes, policyInput, policySeen } from './fakeMesh.js';
import type { Fakes } from './fakeMesh.js';
import { Harness } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

/** Runs a workflow on fake activities, replaying every task from the start; `calls` are what was asked of whom, in order. */
async function run<T>(type: string, input: object, fakes: Fakes): Promise<{ result: T | undefined; failure: ApplicationFailure | undefined; calls: string[] }> {
  const calls: string[] = [];
  const activities = Object.fromEntries(
    Object.entries(fakes).map(([name, fake]) => [
      name,
      (given: { target?: { migration: string }; rendered?: { cluster: string } }) => {
        const of = given?.target?.migration ?? given?.rendered?.cluster;
        calls.push(of === undefined ? name : `${name} ${of}`);
        return fake(given as never);
      },
    ]),
  );
  const taskQueue = randomUUID();
  const worker = await harness.worker({ activities: () => activities }, taskQueue, 0);
  return worker.runUntil(async () => {
    try {
      return { result: (await harness.env.client.workflow.execute(type, { taskQueue, workflowId: randomUUID(), args: [input] })) as T, failure: undefined, calls };
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return { result: undefined, failure: error.cause, calls };
      throw error;
    }
  });
}

describe('connectMesh', () => {
  it('changes one cluster after the other, each under its Lease, and claims nothing that no agent said', async () => {
    const { result, calls } = await run<MeshStatus>(CONNECT_MESH, meshOrder, meshFakes);
    expect(result).toMatchObject({ state: 'unproven', problem: expect.stringMatching(/^could not be proven: .*2 agents could not be asked \(no kubelet\)/) as unknown });
    const held = (name: string, ...work: string[]): string[] => [`takeLease ${name}`, ...work.map((one) => `${one} ${name}`), `releaseLease ${name}`];
    expect(calls).toEqual([
      'readMesh', 'temporalFacts', 'meshPreflight',
      ...held('c2', 'shareCa'),
      ...held('c1', 'changeMesh', 'lookMesh'), ...held('c2', 'changeMesh', 'lookMesh'),
      ...held('c1', 'changeMesh', 'lookMesh'), ...held('c2', 'changeMesh', 'lookMesh'),
      'verifyMesh c1', 'verifyMesh c2',
    ]);
    expect(meshChanges.map(({ peers }) => peers)).toEqual([null, null, [{ name: 'cluster-2', port: 32_379, ips: ['10.2.0.1'] }], [{ name: 'cluster-1', port: 32_379, ips: ['10.1.0.1'] }]]);
    expect(meshChanges.map(({ nativeCidr }) => nativeCidr)).toEqual([null, null, '10.0.0.0/15', null]);
  });

  it('is connected only where every agent says so', async () => {
    const all = { ...meshProof, agents: { asked: 2, connected: 2, silent: 0, why: null } };
    expect((await run<MeshStatus>(CONNECT_MESH, meshOrder, { ...meshFakes, verifyMesh: async () => all })).result).toMatchObject({ state: 'connected', problem: null });
  });

  it('writes nothing where preflight has a blocker', async () => {
    const findings = [{ id: 'mesh-id-twice', severity: 'blocker', objects: [], message: 'Two.', todo: 'Mend.' }];
    const { result, calls } = await run<MeshStatus>(CONNECT_MESH, meshOrder, { ...meshFakes, meshPreflight: async () => ({ ...meshPlan, findings, blocked: true }) });
    expect(result).toMatchObject({ state: 'blocked', problem: 'Two. Mend.' });
    expect(calls).toEqual(['readMesh', 'temporalFacts', 'meshPreflight']);
  });

  it('gives the Lease back when a step fails for good, and leaves its status', async () => {
    const broken = async () => Promise.reject(ApplicationFailure.create({ message: 'chart gone', type: 'Permanent', nonRetryable: true }));
    const { failure, calls } = await run<MeshStatus>(CONNECT_MESH, meshOrder, { ...meshFakes, changeMesh: broken });
    expect(failure).toMatchObject({ type: 'MeshFailed', message: 'chart gone', details: [expect.objectContaining({ state: 'failed', step: 'expose' })] });
    expect(calls.slice(-3)).toEqual(['takeLease c1', 'changeMesh c1', 'releaseLease c1']);
  });

  it('disconnects without a preflight, whatever there is', async () => {
    const { result, calls } = await run<MeshStatus>(CONNECT_MESH, { ...meshOrder, verb: 'disconnect' }, meshFakes);
    expect(result?.state).toBe('disconnected');
    expect(calls).toEqual(['readMesh', 'temporalFacts', ...['c1', 'c2'].flatMap((name) => ['takeLease', 'leaveMesh', 'lookLeft', 'releaseLease'].map((one) => `${one} ${name}`))]);
  });
});

describe('crossClusterPolicy', () => {
  const sorted = (calls: string[]): string[] => [...calls.slice(0, 2).sort(), ...calls.slice(2)];

  it('applies where it ends first', async () => {
    const { result, calls } = await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('apply'), policyFakes);
    expect(result).toMatchObject({ policy: 'p', state: 'done', clusters: [{ done: 'applied' }, { done: 'applied' }] });
    expect(sorted(calls)).toEqual(['inspectPolicy c1', 'inspectPolicy c2', 'applyPolicy c2', 'applyPolicy c1']);
  });

  it('writes nothing anywhere for a blocker in one cluster, nor in a dry run', async () => {
    const blocker = { id: 'x', severity: 'blocker' as const, objects: [], message: 'No.', todo: 'Mend.' };
    const one: Fakes = { ...policyFakes, inspectPolicy: (async (given: { rendered: { cluster: string; direction: string } }) => policySeen(given.rendered.cluster === 'c2' ? { findings: [blocker] } : {})(given)) as never };
    expect((await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('apply'), one))).toMatchObject({ result: { state: 'blocked', problem: 'No. Mend.' }, calls: { length: 2 } });
    expect((await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('apply', { dryRun: true }), policyFakes)).calls).toHaveLength(2);
  });

  it('verifies by probes only what is in place, is unproven without results, and clears them away', async () => {
    expect((await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('verify'), policyFakes))).toMatchObject({ result: { state: 'failed', problem: expect.stringMatching(/apply the policy first/) as unknown }, calls: { length: 2 } });
    const there = { ...policyFakes, inspectPolicy: policySeen({ state: 'same' }) as never };
    const { result, calls } = await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('verify'), there);
    expect(result).toMatchObject({ state: 'unproven', problem: expect.stringMatching(/^could not be probed/) as unknown });
    expect(calls.slice(2)).toEqual(['startPolicyProbes', 'lookPolicyProbes', 'endPolicyProbes']);
    const proven = { selected: { server: 'open', elsewhere: 'closed' }, control: { server: 'closed', elsewhere: 'open' } };
    expect((await run<PolicyResult>(CROSS_CLUSTER_POLICY, policyInput('verify'), { ...there, lookPolicyProbes: async () => ({ done: true, seen: 's', blockers: [], results: proven }) })).result).toMatchObject({ state: 'done', problem: null });
  });
});
