import { CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PolicyActivities, PolicyRequest } from '../activities/policy/api.js';
import { overall, verdicts } from '../domain/policy/probe.js';
import type { PathVerdict } from '../domain/policy/probe.js';
import { clusterOf, policiesOf } from '../domain/policy/run.js';
import type { PolicyInput, PolicyResult, PolicySeen } from '../domain/policy/run.js';
import { BRIEF, LOOKING } from './activityProxies.js';
import { stepFailure } from './failure.js';
import { until } from './until.js';

const { inspectPolicy, applyPolicy, removePolicy, startPolicyProbes, endPolicyProbes } = proxyActivities<PolicyActivities>(BRIEF);
const { lookPolicyProbes } = proxyActivities<PolicyActivities>(LOOKING);

/**
 * Applies, verifies or removes one policy in all its clusters. Nothing is written where any cluster has a blocker: half a
 * policy would cut pods off from each other. Completes with the result however it ended.
 */
export async function crossClusterPolicy(input: PolicyInput): Promise<PolicyResult> {
  const requests = requestsOf(input);
  const result: PolicyResult = {
    version: 1,
    policy: requests[0]?.rendered.object.metadata.labels?.['ciliate.io/policy'] ?? '',
    verb: input.verb,
    state: 'done',
    problem: null,
    clusters: [],
    paths: [],
  };
  try {
    result.clusters = await Promise.all(requests.map((request) => inspectPolicy(request)));
    await WORK[input.verb](input, requests, result);
  } catch (error) {
    result.state = 'failed';
    result.problem = stepFailure(error).message;
  }
  return result;
}

const WORK: Record<PolicyInput['verb'], (input: PolicyInput, requests: PolicyRequest[], result: PolicyResult) => Promise<void>> = { apply, verify, remove };

function requestsOf(input: PolicyInput): PolicyRequest[] {
  return policiesOf(input).map((rendered) => {
    const cluster = clusterOf(input.clusters, rendered.cluster);
    return { cluster, rendered, peers: input.clusters.map(({ ciliumName }) => ciliumName).filter((name) => name !== cluster.ciliumName) };
  });
}

async function apply({ dryRun }: PolicyInput, requests: PolicyRequest[], result: PolicyResult): Promise<void> {
  if (blocked(result)) return;
  if (dryRun) return;
  // The side that is to be reached first: a client that may already connect finds nobody who refuses it for good.
  for (const [index, request] of [...requests.entries()].reverse()) {
    const { done } = await applyPolicy(request);
    setDone(result, index, done);
  }
}

async function remove(_: PolicyInput, requests: PolicyRequest[], result: PolicyResult): Promise<void> {
  for (const [index, request] of requests.entries()) {
    const { done } = await removePolicy(request);
    setDone(result, index, done);
  }
}

async function verify(input: PolicyInput, _: PolicyRequest[], result: PolicyResult): Promise<void> {
  if (blocked(result)) return;
  const missing = result.clusters.filter(({ state }) => state !== 'same').map(({ cluster, namespace, name, state }) => `${namespace}/${name} in ${cluster} ${state === 'absent' ? 'is not there' : 'says something else'}`);
  if (missing.length > 0) {
    result.state = 'failed';
    result.problem = `${missing.join('; ')}: apply the policy first`;
    return;
  }
  if (input.given.kind === 'plain') {
    result.state = 'unproven';
    result.problem = 'the objects are in place; paths are probed for a CrossClusterPolicy only, since a CiliumNetworkPolicy does not say which one matters';
    return;
  }
  const { paths, problem } = await probe(input, input.given.policy);
  const verdict = overall(paths);
  result.paths = paths;
  result.state = verdict === 'proven' ? 'done' : verdict;
  result.problem = problem ?? (verdict === 'proven' ? null : verdict === 'failed' ? 'a path is not as the policy says' : 'could not be probed: the objects are in place, but nothing shows that they work');
}

type Cross = Extract<PolicyInput['given'], { kind: 'cross' }>['policy'];

async function probe(input: PolicyInput, policy: Cross): Promise<{ paths: PathVerdict[]; problem: string | null }> {
  const { from, to } = policy.spec;
  // A replay has the same run id, another run another.
  const nonce = workflowInfo().runId.replaceAll('-', '').slice(-12);
  const request = { policy, from: clusterOf(input.clusters, from.cluster), to: clusterOf(input.clusters, to.cluster), nonce };
  try {
    const { impossible, elsewhere } = await startPolicyProbes(request);
    if (impossible !== null) return { paths: [], problem: `could not be probed: ${impossible}` };
    const deadline = new Date(Date.now() + input.probeSeconds * 1000).toISOString();
    const { results } = await until((known) => lookPolicyProbes({ ...request, deadline, known }), () => undefined);
    return { paths: verdicts(results, { from: `${from.cluster}/${from.namespace}`, to: `${to.cluster}/${to.namespace}`, elsewhere }), problem: null };
  } finally {
    await CancellationScope.nonCancellable(() => endPolicyProbes(request));
  }
}

/** Blockers stop everything, in every cluster. */
function blocked(result: PolicyResult): boolean {
  const blockers = result.clusters.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'blocker'));
  if (blockers.length === 0) return false;
  result.state = 'blocked';
  result.problem = blockers.map(({ message, todo }) => `${message} ${todo}`).join(' ');
  return true;
}

function setDone(result: PolicyResult, index: number, done: PolicySeen['done']): void {
  result.clusters = result.clusters.map((seen, at) => (at === index ? { ...seen, done } : seen));
}
