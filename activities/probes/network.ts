import type { V1Node } from '@kubernetes/client-node';
import { sha256Hex } from '../../domain/digest.js';
import { isReady } from '../../domain/kubernetes/resources.js';
import { isOld, oldSelector } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { lacksOf, parseResults } from '../../domain/probes/networkChecks.js';
import type { Ends, Side } from '../../domain/probes/networkChecks.js';
import type { Lack, Verdict } from '../../domain/probes/verdict.js';
import type { NetworkProbeSpec } from '../../domain/spec/probes.js';
import { orUndefined } from '../clients/errors.js';
import { hold } from '../kubernetes/guard.js';
import { probeJobsEntry, probeJobsGuard, removeProbeJobs } from '../kubernetes/guards/probeJobs.js';
import { addressOf, endOf, lastWords, partsOf, readAttempt, waitsFor } from './network/attempt.js';
import type { Attempt } from './network/attempt.js';
import { BEFORE, isServer, probeJob } from './network/jobs.js';
import type { Part } from './network/jobs.js';
import type { Probe, ProbeContext } from './probe.js';

/** How long after a failed attempt the next one begins. */
const AGAIN_MS = 10_000;
/** Old nodes of which one is chosen: enough for variety, whatever the size of the cluster. */
const CHOICE = 100;

interface Run {
  context: ProbeContext;
  spec: NetworkProbeSpec;
  replacement: string;
}

/**
 * Pod traffic between the new node and an old one, both ways, and from both: DNS, API server, egress. One attempt is a set of Jobs; the
 * cluster is its only memory. A failed attempt is removed and begun again.
 */
export const networkProbe: Probe<'network'> = {
  kind: 'network',
  async pass(context, spec) {
    const { replacement, clients, node } = context;
    if (replacement === null) return { lacks: [], notes: ['the network probe was not run: it has no replacement'] };
    const run: Run = { context, spec, replacement };
    const attempt = await readAttempt(clients, spec.namespace, node.uid);
    return attempt === undefined ? begin(run, '') : judge(run, attempt);
  },
  async trial({ kube }, { namespace, timeLimitSeconds }) {
    const found = await orUndefined(kube.core.readNamespace({ name: namespace }));
    if (found !== undefined) return [];
    return [{ object: `Namespace ${namespace}`, reason: 'expected to be there for the Jobs of the network probe, saw none', todo: 'Create it, or set spec.probes.network.namespace.', gist: 'namespace', limitSeconds: timeLimitSeconds }];
  },
};

async function judge(run: Run, attempt: Attempt): Promise<Verdict> {
  const { spec, replacement } = run;
  const asks = partsOf(attempt.oldNode).filter((part) => !isServer(part));
  const words = asks.map((part) => ({ part, said: lastWords(attempt.pods.get(part)) }));
  const ends: Ends = { old: attempt.oldNode, new: replacement };
  const lacks = words.flatMap(({ part, said }) => lacksOf(parseResults(said ?? ''), { side: sideOf(part), ends, egress: spec.egress, limitSeconds: spec.timeLimitSeconds }));
  if (words.every(({ said }) => said !== undefined)) {
    if (lacks.length === 0) return { lacks, notes: attempt.oldNode === null ? ['the network probe found no old node any more: traffic between old and new was not checked'] : [] };
    return failed(run, attempt, lacks);
  }
  // A Job that ended without its results: out of time, or its node was drained.
  const broken = [...attempt.jobs].flatMap(([part, job]) => (isServer(part) || lastWords(attempt.pods.get(part)) === undefined ? (endOf(job)?.how ?? []) : []));
  if (broken.length > 0) return failed(run, attempt, [pending(run, `the attempt ended without its results (${broken[0]})`)]);
  if (attempt.oldNode !== null && !isFit(run.context.direction, await orUndefined(run.context.clients.kube.core.readNode({ name: attempt.oldNode })))) return again(run, attempt, lastLacks(run, attempt));
  return goOn(run, attempt);
}

/** Shows what is lacking, and begins again once that is a while ago. */
async function failed(run: Run, attempt: Attempt, lacks: Lack[]): Promise<Verdict> {
  const ends = [...attempt.jobs.values()].flatMap((job) => endOf(job)?.at ?? []);
  const isOver = ends.length > 0 && Date.now() - Math.max(...ends) >= AGAIN_MS;
  return isOver ? again(run, attempt, lacks) : { lacks, notes: [] };
}

async function again(run: Run, attempt: Attempt, lacks: Lack[]): Promise<Verdict> {
  const { context, spec } = run;
  await removeProbeJobs(context.clients, spec.namespace, context.node.uid);
  const before = [...attempt.pods.entries()].flatMap(([part, pod]) => (lastWords(pod) ?? '').split('\n').filter((line) => line.startsWith('failed')).map((line) => `${sideOf(part)} ${line}`));
  const begun = await begin(run, before.length > 0 ? before.join('\n') : beforeOf(attempt));
  return lacks.length > 0 ? { lacks, notes: [] } : begun;
}

/** Chooses an old node and makes what needs no address: ledger before the first Job. */
async function begin(run: Run, before: string): Promise<Verdict> {
  const { clients, node } = run.context;
  const oldNode = await chooseOldNode(run);
  const now = { value: null, setBy: 'us' as const };
  await hold(clients, [{ guard: probeJobsGuard, now, entry: probeJobsEntry(node, run.spec.namespace) }]);
  const first = partsOf(oldNode).filter((part) => oldNode === null || isServer(part));
  for (const part of first) await create(run, { part, oldNode, before });
  return { lacks: [pending(run, 'its Jobs were just created')], notes: [] };
}

/** Makes the pods that ask as soon as there is somebody to ask. */
async function goOn(run: Run, attempt: Attempt): Promise<Verdict> {
  const { oldNode } = attempt;
  for (const part of partsOf(oldNode)) {
    if (attempt.jobs.has(part)) continue;
    // A crash between two Jobs leaves a server out.
    const peer = isServer(part) || oldNode === null ? undefined : addressOf(attempt.pods.get(part === 'ask-new' ? 'serve-old' : 'serve-new'));
    if (isServer(part) || oldNode === null || peer !== undefined) await create(run, { part, oldNode, before: beforeOf(attempt), ...(peer === undefined ? {} : { peer }) });
  }
  const lacks = lastLacks(run, attempt);
  return { lacks: lacks.length > 0 ? lacks : [pending(run, waitsFor(attempt))], notes: [] };
}

async function create(run: Run, { part, oldNode, ...rest }: { part: Part; oldNode: string | null; before: string; peer?: string }): Promise<void> {
  const { context, spec, replacement } = run;
  const { kube } = context.clients;
  const on = await kube.core.readNode({ name: sideOf(part) === 'new' ? replacement : (oldNode ?? '') });
  await kube.batch.createNamespacedJob({ namespace: spec.namespace, body: probeJob({ spec, uid: context.node.uid, part, on, oldNode, ...rest }) });
}

/** Not the one that another node's probe takes, as far as chance can tell. */
async function chooseOldNode({ context, replacement }: Run): Promise<string | null> {
  const { clients, direction, node } = context;
  const { items } = await clients.kube.core.listNode({ labelSelector: oldSelector(direction), limit: CHOICE });
  const names = items.filter((item) => isFit(direction, item)).flatMap(({ metadata }) => metadata?.name ?? []).filter((name) => name !== replacement).sort();
  return names[parseInt(sha256Hex(node.uid).slice(0, 8), 16) % names.length] ?? null;
}

/** An old node that stays for the moment. */
function isFit(direction: Direction, node: V1Node | undefined): boolean {
  if (node === undefined || node.metadata?.deletionTimestamp !== undefined) return false;
  return isOld(direction, node.metadata?.labels) && node.spec?.unschedulable !== true && isReady(node);
}

/** What the attempt before lacked: it stands until there is something newer to say. */
function lastLacks({ spec, replacement }: Run, attempt: Attempt): Lack[] {
  const lines = beforeOf(attempt).split('\n');
  const ends: Ends = { old: attempt.oldNode, new: replacement };
  return (['old', 'new'] as const).flatMap((side) => {
    const results = parseResults(lines.flatMap((line) => (line.startsWith(`${side} `) ? line.slice(side.length + 1) : [])).join('\n'));
    const keys = new Set(results.map(({ key }) => key));
    return lacksOf(results, { side, ends, egress: spec.egress, limitSeconds: spec.timeLimitSeconds }).filter(({ gist }) => keys.has(gist.slice(side.length + 1)));
  });
}

function beforeOf({ jobs }: Attempt): string {
  const [first] = jobs.values();
  return first?.metadata?.annotations?.[BEFORE] ?? '';
}

function sideOf(part: Part): Side {
  return part.endsWith('old') ? 'old' : 'new';
}

function pending({ spec, replacement }: Run, reason: string): Lack {
  return { object: `Probe network of ${replacement}`, reason, todo: `kubectl -n ${spec.namespace} get jobs,pods -l app.kubernetes.io/managed-by=ciliate`, gist: 'pending', limitSeconds: spec.timeLimitSeconds };
}
