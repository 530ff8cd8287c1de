import { asyncLocalStorage } from '@temporalio/activity';
import { manifestFor } from '../../domain/advice.js';
import { datapathOf } from '../../domain/cilium/datapaths/index.js';
import type { Datapath } from '../../domain/cilium/datapaths/index.js';
import { limitText } from '../../domain/chain/limits.js';
import { valuesFacts } from '../../domain/cilium/facts.js';
import type { ValuesFacts } from '../../domain/cilium/values.js';
import { sha256Hex } from '../../domain/digest.js';
import { enforcementText } from '../../domain/gates.js';
import type { ObservedCluster } from '../../domain/observation.js';
import type { Plan } from '../../domain/plan.js';
import { masqueradeFor, plan } from '../../domain/planner.js';
import { enforcementShows, installShows } from '../../domain/report/index.js';
import type { ClusterRef, Manifest } from '../../domain/spec/schema.js';
import { STRATEGIES } from '../../domain/spec/words.js';
import type { Strategy } from '../../domain/spec/words.js';
import type { Activities, PlanDigest, Target } from '../api.js';
import type { Clients } from '../clients/index.js';
import { helmVersion } from '../helm/version.js';
import { apiVersions, observeChart } from './chart.js';
import type { ChartSeen } from './chart.js';
import { observe } from './observe.js';
import { restartAccess } from './permissions.js';

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

/**
 * The same for every strategy, from one look at the cluster: what `ciliate advise` compares. The chart is rendered once a datapath. What
 * restarts pods is asked for all the same, and a right that a strategy never uses does not count against it.
 */
export async function buildPlans(deps: PreflightDeps, input: PreflightInput): Promise<Record<Strategy, Plan>> {
  const seen = await look(deps, input, 'chain');
  const charts = new Map<Datapath, SeenChart>();
  const plans: [Strategy, Plan][] = [];
  // One after the other: the chart is fetched into one folder.
  for (const strategy of STRATEGIES) {
    const manifest = manifestFor(input.manifest, strategy);
    const datapath = datapathOf({ strategy });
    const chart = charts.get(datapath) ?? (await chartFor(deps, seen, manifest));
    charts.set(datapath, chart);
    plans.push([strategy, planFrom({ ...seen.cluster, deniedAccess: deniedTo(strategy, seen.cluster) }, manifest, chart)]);
  }
  return Object.fromEntries(plans) as Record<Strategy, Plan>;
}

async function planned(deps: PreflightDeps, input: PreflightInput): Promise<{ plan: Plan; facts: ValuesFacts }> {
  const { manifest } = input;
  const seen = await look(deps, input, manifest.spec.strategy);
  return { plan: planFrom(seen.cluster, manifest, await chartFor(deps, seen, manifest)), facts: seen.facts };
}

interface Seen {
  cluster: ObservedCluster;
  facts: ValuesFacts;
  apiVersions: string[];
  signal?: AbortSignal;
}

type SeenChart = ChartSeen<'migration' | 'enforcement' | 'final'>;

/** The one observation; the strategy decides which rights are asked for. */
async function look(deps: PreflightDeps, { manifest, target }: PreflightInput, strategy: Strategy): Promise<Seen> {
  const signal = asyncLocalStorage.getStore()?.cancellationSignal;
  const clients = await deps.pool.for(manifest.spec.cluster);
  const { cilium, probes } = manifest.spec;
  const [cluster, versions] = await Promise.all([
    observe(clients, { values: cilium.values, probes, strategy, holder: target?.holder, helm: () => helmVersion(signal) }),
    apiVersions(clients.kube),
  ]);
  return { cluster, facts: valuesFacts(cluster, masqueradeFor(cluster, cilium)), apiVersions: versions, signal };
}

function chartFor({ chartCache }: PreflightDeps, seen: Seen, manifest: Manifest): Promise<SeenChart> {
  return observeChart({ ...seen, manifest, cacheDir: chartCache }, ['migration', 'enforcement', 'final']);
}

function planFrom(cluster: ObservedCluster, manifest: Manifest, { chart, values, problems }: SeenChart): Plan {
  return plan(cluster, { manifest, chart, values, chartProblems: problems });
}

/** Denials that matter to a strategy. Verbs in kube-system only are others, which every strategy uses. */
export function deniedTo(strategy: Strategy, { deniedAccess }: Pick<ObservedCluster, 'deniedAccess'>): ObservedCluster['deniedAccess'] {
  const used = restartAccess(strategy);
  const unused = restartAccess('chain').filter(({ resource }) => !used.some((access) => access.resource === resource));
  return deniedAccess.filter(
    ({ verb, resource, namespace }) => namespace !== undefined || !unused.some((access) => `${access.resource}.${access.group}` === resource && access.verbs.includes(verb)),
  );
}

function digestOf(made: Plan, facts: ValuesFacts): PlanDigest {
  return {
    mode: made.mode,
    installDigest: made.installDigest,
    chart: made.chart,
    masquerade: made.masquerade,
    valuesFacts: { ...facts },
    nodes: made.nodes.length,
    findings: made.findings,
    blocked: made.blocked,
    limits: made.limits.map(limitText),
    shows: installShows(made),
    enforcement: { digest: sha256Hex(enforcementText(made.values.enforcement)), shows: enforcementShows(made) },
  };
}
