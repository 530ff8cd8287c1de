import { asyncLocalStorage } from '@temporalio/activity';
import type { V1DaemonSet } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { datapathOf } from '../../domain/cilium/datapaths/index.js';
import { assertRendered } from '../../domain/cilium/rendered.js';
import { ciliumValues } from '../../domain/cilium/values.js';
import type { ValuesInput } from '../../domain/cilium/values.js';
import { CiliateError, sentence } from '../../domain/failures.js';
import { AWS_NODE, CILIUM_LABEL, CNI_LABEL, KUBE_SYSTEM } from '../../domain/names.js';
import type { CiliumRequest, EnsuredCilium } from '../api.js';
import type { Clients } from '../clients/index.js';
import { resolveChart } from '../helm/chart.js';
import type { Chart } from '../helm/chart.js';
import { ensureRelease, readRelease } from '../helm/release.js';
import { renderChart } from '../helm/render.js';
import { isChanged, isOffCiliumNodes } from '../../domain/cilium/placement.js';
import { affinityOf, isRestricted } from '../kubernetes/awsNode.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';
import { systemDaemonSet } from '../kubernetes/lists.js';
import { apiVersions } from '../observe/chart.js';
import { forwardPhase } from './forward.js';
import { withHelmTarget } from './helmTarget.js';
import { meshed } from './meshed.js';
import { valuesInput } from './request.js';

/** Renders, asserts, and only then installs or upgrades. Waits for nothing. */
export async function ensureCilium(clients: Clients, request: CiliumRequest, cacheDir: string): Promise<EnsuredCilium> {
  const seen = await withHelmTarget(clients, (target) => readRelease(target));
  const phase = await forwardPhase(clients, { wanted: request.phase, toward: request.target.toward, chained: request.target.chained }, seen);
  await assertAwsNode(clients, { phase, beside: datapathOf(request.manifest.spec).besideAwsNode });
  const signal = asyncLocalStorage.getStore()?.cancellationSignal;
  const { version, chart: source } = request.manifest.spec.cilium;
  const chart = await resolveChart({ version, ...(source === undefined ? {} : { chart: source }) }, cacheDir, signal);
  assertChart(chart, request.plan.chart.sha256);
  const input = valuesInput(request, phase);
  const { mesh } = await readCniLedger(clients);
  const values = meshed(ciliumValues(input), mesh, phase);
  await assertManifests(clients, chart, { input, values, signal });
  const description = `ciliate: ${request.target.migration}, ${phase}`;
  const { revision, changed } = await withHelmTarget(clients, (target) => ensureRelease(target, { chart, values, description, seen }));
  return { revision, changed, phase, finalValues: stringify(meshed(ciliumValues(valuesInput(request, 'final')), mesh, 'final')) };
}

async function assertManifests(clients: Clients, chart: Chart, options: { input: ValuesInput; values: ReturnType<typeof ciliumValues>; signal?: AbortSignal }): Promise<void> {
  const { gitVersion } = await clients.kube.version.getCode();
  const objects = await renderChart(chart, options.values, { kubeVersion: gitVersion, apiVersions: await apiVersions(clients.kube), signal: options.signal });
  const findings = assertRendered(objects, options.input);
  if (findings.length === 0) return;
  const todo = 'Nothing was applied. Correct spec.cilium.values or the chart.';
  throw new CiliateError('Permanent', findings.slice(0, 5).map((finding) => sentence({ ...finding, todo })).join(' '), { code: 'RenderedWrong', details: { findings } });
}

/** The chart that was approved is the chart that is applied. */
function assertChart(chart: Chart, sha256: string): void {
  if (chart.sha256 === sha256) return;
  throw new CiliateError(
    'Permanent',
    { object: `chart ${chart.path}`, expected: `sha256 ${sha256}, as planned and approved`, seen: chart.sha256, todo: 'Put the approved chart back, or start the migration again with this one.' },
    { code: 'ChartChanged' },
  );
}

/**
 * Chained on an aws-node that keeps off some nodes Cilium would find no address there. So it is on the way back too: a node keeps both
 * until it is replaced, and neither confinement of ours may stand in aws-node's affinity.
 */
function assertServesAll(daemonSet: V1DaemonSet | undefined, object: string): void {
  if (daemonSet !== undefined && !isChanged(affinityOf(daemonSet))) return;
  throw new CiliateError(
    'NeedsHuman',
    { object, expected: 'it to serve every node: Cilium is chained on it', seen: daemonSet === undefined ? 'it is not there' : `its affinity speaks of ${CNI_LABEL} or ${CILIUM_LABEL}`, todo: 'Put it back as it was, without these (where another strategy began: ciliate rollback with that strategy), then start again.' },
    { code: 'AwsNodeNotEverywhere' },
  );
}

/** Both agents on one node is the one thing that must never be: last look before helm. */
async function assertAwsNode(clients: Clients, { phase, beside }: { phase: CiliumRequest['phase']; beside: boolean }): Promise<void> {
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  const object = `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`;
  if (beside) return assertServesAll(daemonSet, object);
  if (daemonSet === undefined) return;
  if (phase === 'final') {
    throw new CiliateError(
      'NeedsHuman',
      { object, expected: 'it to be gone before the migration affinity is dropped', seen: 'it is there', todo: 'Something puts it back (GitOps, Terraform): stop that, delete it, then retry.' },
      { code: 'AwsNodeBack' },
    );
  }
  // Confined to its marked nodes Cilium stays off whatever aws-node is let onto on the way back.
  if (isRestricted(daemonSet) || (phase === 'rollback' && isOffCiliumNodes(affinityOf(daemonSet)))) return;
  throw new CiliateError(
    'NeedsHuman',
    { object, expected: 'cni-plugin In [aws] in every nodeSelectorTerm', seen: 'an affinity without it', todo: 'Something took it back (GitOps, Terraform, an update of the add-on): stop that, then start the migration again.' },
    { code: 'AwsNodeUnrestricted' },
  );
}
