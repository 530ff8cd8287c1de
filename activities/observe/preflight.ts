import { asyncLocalStorage } from '@temporalio/activity';
import { valuesFacts } from '../../domain/cilium/facts.js';
import type { ValuesFacts } from '../../domain/cilium/values.js';
import { sha256Hex } from '../../domain/digest.js';
import { enforcementText } from '../../domain/gates.js';
import type { Plan } from '../../domain/plan.js';
import { masqueradeFor, plan } from '../../domain/planner.js';
import { enforcementShows, installShows } from '../../domain/report/index.js';
import type { ClusterRef, Manifest } from '../../domain/spec/schema.js';
import type { Activities, PlanDigest, Target } from '../api.js';
import type { Clients } from '../clients/index.js';
import { helmVersion } from '../helm/version.js';
import { apiVersions, observeChart } from './chart.js';
import { observe } from './observe.js';

export interface PreflightDeps {
  pool: { for(ref: ClusterRef): Promise<Clients> };
  /** Folder for charts that are fetched. */
  chartCache: string;
}

export interface PreflightInput {
  manifest: Manifest;
  /** Absent in the dry run of the command line, which has no Temporal and so no holder. */
  target?: Pick<Target, 'holder'>;
}

/** The activity `preflight`: reads only; what enters the workflow's history is the digest of the plan. */
export function createPreflight(deps: PreflightDeps): Activities['preflight'] {
  return async (input) => {
    const { plan: made, facts } = await planned(deps, input);
    return digestOf(made, facts);
  };
}

/**
 * Observes and plans: what `ciliate plan` and `ciliate preflight` show, without Temporal. Rejects where the cluster or AWS cannot be
 * reached; everything else is in the plan's findings.
 */
export async function buildPlan(deps: PreflightDeps, input: PreflightInput): Promise<Plan> {
  return (await planned(deps, input)).plan;
}

async function planned(deps: PreflightDeps, { manifest, target }: PreflightInput): Promise<{ plan: Plan; facts: ValuesFacts }> {
  const signal = asyncLocalStorage.getStore()?.cancellationSignal;
  const clients = await deps.pool.for(manifest.spec.cluster);
  const { cilium, probes, strategy } = manifest.spec;
  const [cluster, versions] = await Promise.all([
    observe(clients, { values: cilium.values, probes, strategy, holder: target?.holder, helm: () => helmVersion(signal) }),
    apiVersions(clients.kube),
  ]);
  const facts = valuesFacts(cluster, masqueradeFor(cluster, cilium));
  const { chart, values, problems } = await observeChart({ manifest, cluster, facts, cacheDir: deps.chartCache, apiVersions: versions, signal }, ['migration', 'enforcement', 'final']);
  return { plan: plan(cluster, { manifest, chart, values, chartProblems: problems }), facts };
}

function digestOf(made: Plan, facts: ValuesFacts): PlanDigest {
  return {
    mode: made.mode,
    installDigest: made.installDigest,
    chart: made.chart,
    masquerade: made.masquerade,
    valuesFacts: { ...facts },
    nodes: made.nodes.length,
    leftOut: made.leftOut,
    findings: made.findings,
    blocked: made.blocked,
    limits: made.limits,
    shows: installShows(made),
    enforcement: { digest: sha256Hex(enforcementText(made.values.enforcement)), shows: enforcementShows(made) },
  };
}
