import { asyncLocalStorage } from '@temporalio/activity';
import { DescribeAddonConfigurationCommand } from '@aws-sdk/client-eks';
import { valuesFacts } from '../../domain/cilium/facts.js';
import type { ValuesFacts } from '../../domain/cilium/values.js';
import { masqueradeFor } from '../../domain/planner.js';
import { rollbackShows } from '../../domain/report/index.js';
import type { ObservedRollback, SavedAwsNode } from '../../domain/rollback/observed.js';
import { planRollback } from '../../domain/rollback/plan.js';
import type { RollbackPlan } from '../../domain/rollback/plan.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { Strategy } from '../../domain/spec/words.js';
import { CILIUM_RELEASE, KUBE_SYSTEM, VPC_CNI_ADDON } from '../../domain/names.js';
import type { Activities, PlanDigest, Target } from '../api.js';
import { parseConfiguration, schemaTakes } from '../aws/addon.js';
import { reachedPhase } from '../cilium/forward.js';
import { withHelmTarget } from '../cilium/helmTarget.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readRelease } from '../helm/release.js';
import { helmVersion } from '../helm/version.js';
import { affinityOf } from '../kubernetes/awsNode.js';
import { countPolicies } from '../kubernetes/ciliumResources.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';
import type { CniLedger } from '../kubernetes/cniLedger.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { apiVersions, observeChart } from './chart.js';
import { observe } from './observe.js';
import { ROLLBACK_ACTIONS } from './permissions.js';
import type { PreflightDeps, PreflightInput } from './preflight.js';

/** The activity `planRollback`: reads only; what enters the workflow's history is a digest. */
export function createPlanRollback(deps: PreflightDeps): Activities['planRollback'] {
  return async (input: { target: Target; manifest: Manifest }) => {
    const { plan, facts, masquerade } = await planned(deps, input);
    return digestOf(plan, facts, masquerade);
  };
}

/** Observes and plans: what `ciliate rollback --plan` shows, without Temporal. */
export async function buildRollbackPlan(deps: PreflightDeps, input: PreflightInput): Promise<RollbackPlan> {
  return (await planned(deps, input)).plan;
}

type Masquerade = PlanDigest['masquerade'];

async function planned(deps: PreflightDeps, { manifest, target }: PreflightInput): Promise<{ plan: RollbackPlan; facts: ValuesFacts; masquerade: Masquerade }> {
  const signal = asyncLocalStorage.getStore()?.cancellationSignal;
  const clients = await deps.pool.for(manifest.spec.cluster);
  const { cilium, probes } = manifest.spec;
  const [cluster, versions, { strategy, config, ...rest }] = await Promise.all([
    observe(clients, { values: cilium.values, probes, holder: target?.holder, alsoUses: ROLLBACK_ACTIONS, helm: () => helmVersion(signal) }),
    apiVersions(clients.kube),
    observeRest(clients),
  ]);
  const masquerade = masqueradeFor(cluster, cilium);
  const facts = valuesFacts(cluster, masquerade);
  const chained = config === undefined ? (strategy ?? manifest.spec.strategy) === 'chain' : config['cni-chaining-mode'] === 'aws-cni';
  const { chart, values, problems } = await observeChart({ manifest, cluster, facts, cacheDir: deps.chartCache, apiVersions: versions, signal }, ['migration', 'rollback']);
  return { plan: planRollback({ cluster, chained, ...rest }, { manifest, chart, values: values.rollback, chartProblems: problems }), facts, masquerade };
}

type Rest = Omit<ObservedRollback, 'cluster' | 'chained'> & { strategy: Strategy | null; /** Of cilium-config. */ config: Record<string, string> | undefined };

async function observeRest(clients: Clients): Promise<Rest> {
  const [{ saved, meshed, strategy }, config, ciliumPolicies, phase] = await Promise.all([
    readLedger(clients),
    orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: 'cilium-config' })),
    countPolicies(clients),
    releasePhase(clients),
  ]);
  return { ledger: saved, meshed, strategy, phase, config: config?.data, policyMode: config?.data?.['enable-policy'] ?? null, ciliumPolicies };
}

/** Without a Secret of Helm there is no release, and helm need not be asked (nor be there). */
async function releasePhase(clients: Clients): Promise<ObservedRollback['phase']> {
  const { items } = await clients.kube.core.listNamespacedSecret({ namespace: KUBE_SYSTEM, labelSelector: `owner=helm,name=${CILIUM_RELEASE}`, limit: 1 });
  if (items.length === 0 || (await helmVersion()) === null) return null;
  return reachedPhase(await withHelmTarget(clients, (target) => readRelease(target)));
}

async function readLedger(clients: Clients): Promise<{ saved: SavedAwsNode | null; meshed: boolean; strategy: Strategy | null }> {
  const ledger = await readCniLedger(clients);
  return { saved: await savedAwsNode(clients, ledger), meshed: ledger.mesh !== null, strategy: ledger.strategy };
}

async function savedAwsNode(clients: Clients, { since, addon, daemonSet }: CniLedger): Promise<SavedAwsNode | null> {
  if (since === null) return null;
  const configured = parseConfiguration(addon?.configurationValues)['affinity'] as Affinity | undefined;
  return {
    addon: addon === undefined ? null : { version: addon.addonVersion ?? '', takesAffinity: await takesAffinity(clients, addon.addonVersion ?? '') },
    daemonSet: daemonSet !== undefined,
    affinity: configured ?? (daemonSet && affinityOf(daemonSet)) ?? null,
  };
}

async function takesAffinity(clients: Clients, addonVersion: string): Promise<boolean | null> {
  try {
    const { configurationSchema } = await clients.aws.eks.send(new DescribeAddonConfigurationCommand({ addonName: VPC_CNI_ADDON, addonVersion }));
    return configurationSchema === undefined ? null : schemaTakes(configurationSchema, 'affinity');
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (['ResourceNotFoundException', 'InvalidParameterException', 'AccessDeniedException'].includes(name)) return null;
    throw error;
  }
}

function digestOf(plan: RollbackPlan, facts: ValuesFacts, masquerade: Masquerade): PlanDigest {
  return {
    mode: plan.situation === 'nothing' ? 'done' : 'resume',
    installDigest: plan.digest,
    chart: plan.chart,
    masquerade,
    valuesFacts: { ...facts },
    nodes: plan.nodes.length,
    findings: plan.findings,
    blocked: plan.blocked,
    shows: rollbackShows(plan),
    enforcement: { digest: '', shows: [] },
  };
}
