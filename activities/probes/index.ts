import { canonicalJson } from '../../domain/canonical.js';
import { directionOf } from '../../domain/directions/index.js';
import { CiliateError } from '../../domain/failures.js';
import { entryKey } from '../../domain/ledger.js';
import type { ObservedCluster } from '../../domain/observation.js';
import { PROBE_LABEL } from '../../domain/names.js';
import { blockersOf } from '../../domain/probes/judge.js';
import type { Verdict } from '../../domain/probes/verdict.js';
import type { ProbeKind, ProbesSpec } from '../../domain/spec/probes.js';
import type { Look, NodeRequest, ProbeRequest } from '../api.js';
import type { Clients } from '../clients/index.js';
import { giveBack } from '../kubernetes/guard.js';
import { probeJobsEntry, probeJobsGuard } from '../kubernetes/guards/probeJobs.js';
import { readNodeGuards } from '../kubernetes/guardsLedger.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { httpProbe } from './http.js';
import { networkProbe } from './network.js';
import type { Probe, ProbeContext } from './probe.js';
import { prometheusProbe } from './prometheus.js';

/** Every kind of probe; a new one is a new file and its line here. */
const PROBES: { [K in ProbeKind]: Probe<K> } = { network: networkProbe, prometheus: prometheusProbe, http: httpProbe };

/** Done when every probe of the spec holds at the same time. What lasts longer than its limit is firm. */
export function lookProbes(clients: Clients, request: ProbeRequest): Promise<Look & { notes: string[] }> {
  const act = () => probesPass(clients, request);
  // Only the pods of the network probe are events of the cluster; the others wait by retries alone.
  if (request.probes.network === undefined) return act();
  return linger(clients, (event) => event.kind === 'Pod' && event.object.metadata?.labels?.[PROBE_LABEL] === request.node.uid, act);
}

async function probesPass(clients: Clients, request: ProbeRequest): Promise<Look & { notes: string[] }> {
  const { target, node, replacement, probes, since, known } = request;
  const context: ProbeContext = { clients, direction: directionOf(target), node, replacement };
  const kinds = Object.keys(PROBES) as ProbeKind[];
  const verdicts = await Promise.all(kinds.map((kind) => pass(kind, context, probes)));
  const lacks = verdicts.flatMap((verdict) => verdict.lacks);
  const blockers = blockersOf(lacks, { since, now: Date.now() });
  const seenOf = lacks.map(({ object, gist }, at) => canonicalJson({ object, gist, firm: blockers[at]?.firm === true }));
  // Every probe has a limit of its own; the one for looks in general is none of theirs.
  return look({ known, done: lacks.length === 0, blockers, seenOf, overdueMs: Infinity, extra: { notes: verdicts.flatMap(({ notes }) => notes) } });
}

function pass<K extends ProbeKind>(kind: K, context: ProbeContext, probes: ProbesSpec): Promise<Verdict> {
  const spec = probes[kind];
  return spec === undefined ? Promise.resolve({ lacks: [], notes: [] }) : PROBES[kind].pass(context, spec);
}

/** What would be lacking if the probes began now, as lines for people: reads only. */
export async function tryProbes(clients: Clients, probes: ProbesSpec): Promise<ObservedCluster['probes']> {
  const kinds = Object.keys(PROBES) as ProbeKind[];
  return (await Promise.all(kinds.map((kind) => trial(kind, clients, probes)))).flat();
}

async function trial<K extends ProbeKind>(kind: K, clients: Clients, probes: ProbesSpec): Promise<ObservedCluster['probes']> {
  const spec = probes[kind];
  if (spec === undefined) return [];
  try {
    return (await PROBES[kind].trial(clients, spec)).map(({ object, reason }) => ({ object, reason }));
  } catch (error) {
    // What only the workers have (headers) may be missing where `plan` is typed.
    if (error instanceof CiliateError && error.kind === 'Permanent') return [{ object: `Probe ${kind}`, reason: error.message }];
    throw error;
  }
}

/** What a node's probes made is removed; a left-over of a crash too, since the ledger knows it. */
export async function endProbes(clients: Clients, { node, probes }: NodeRequest & { probes: ProbesSpec }): Promise<void> {
  if (probes.network === undefined) return;
  const key = entryKey(probeJobsEntry(node, probes.network.namespace));
  const entries = await readNodeGuards(clients, node.uid);
  await giveBack(clients, probeJobsGuard, entries.filter((entry) => entryKey(entry) === key));
}
