import { ApisApi } from '@kubernetes/client-node';
import { assertRendered } from '../../domain/cilium/rendered.js';
import { ciliumValues, fightingKeys } from '../../domain/cilium/values.js';
import type { ValuesFacts, ValuesPhase } from '../../domain/cilium/values.js';
import { CiliateError } from '../../domain/failures.js';
import type { ChartProblem } from '../../domain/findings.js';
import type { ObservedCluster } from '../../domain/observation.js';
import type { Plan } from '../../domain/plan.js';
import type { HelmValues, Manifest } from '../../domain/spec/schema.js';
import { resolveChart } from '../helm/chart.js';
import type { Chart } from '../helm/chart.js';
import { renderChart } from '../helm/render.js';
import type { KubeClients } from '../clients/index.js';
import { readable } from './lists.js';

export interface ChartInput {
  manifest: Manifest;
  cluster: ObservedCluster;
  facts: ValuesFacts;
  /** Folder for charts that are fetched. */
  cacheDir: string;
  apiVersions: string[];
  signal?: AbortSignal;
}

export interface ChartSeen<P extends ValuesPhase> {
  chart: Plan['chart'];
  values: Record<P, HelmValues>;
  problems: ChartProblem[];
}

/**
 * Fetches the chart, computes the values of these phases, renders each and checks what comes out: what would fail in the middle of the
 * run fails here. A network that is away is an error (Transient), everything else a problem in the plan.
 */
export async function observeChart<P extends ValuesPhase>(input: ChartInput, phases: readonly P[]): Promise<ChartSeen<P>> {
  const { manifest, cluster, cacheDir } = input;
  const { cilium, strategy } = manifest.spec;
  const problems: ChartProblem[] = fightingKeys(cilium.values, { version: cilium.version, strategy }).map(({ path, why }) => ({
    stage: 'values',
    object: `spec.cilium.values.${path}`,
    message: `It fights the migration: ${why}.`,
    todo: 'Remove it from spec.cilium.values.',
  }));
  const noChart: Plan['chart'] = { version: cilium.version, sha256: '', source: cilium.chart ?? 'the public Helm repository' };
  const values = attempt(problems, 'values', () => each(phases, (phase) => ciliumValues(valuesInput(input, phase))));
  // Without helm nothing can be fetched or rendered; that is a finding of its own.
  if (cluster.helm === null || values === undefined) return { chart: noChart, values: values ?? each(phases, () => ({})), problems };

  const chart = await attemptAsync(problems, 'chart', () => resolveChart(cilium, cacheDir, input.signal));
  if (chart === undefined) return { chart: noChart, values, problems };
  const rendered = await Promise.all(phases.map((phase) => renderProblems(input, chart, { phase, values: values[phase] })));
  problems.push(...rendered.flat());
  return { chart: { version: chart.version, sha256: chart.sha256, source: chart.source }, values, problems: unique(problems) };
}

/** API groups and versions of the server (`monitoring.coreos.com/v1`): charts ask for them. */
export async function apiVersions(kube: KubeClients): Promise<string[]> {
  const groups = await readable(kube.make(ApisApi).getAPIVersions(), null);
  return (groups?.groups ?? []).flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)).sort();
}

function valuesInput({ manifest, facts }: ChartInput, phase: ValuesPhase) {
  const { cilium, strategy } = manifest.spec;
  return { cilium, strategy, clusterName: cilium.clusterName ?? manifest.metadata.name, phase, facts };
}

function each<P extends ValuesPhase>(phases: readonly P[], of: (phase: P) => HelmValues): Record<P, HelmValues> {
  return Object.fromEntries(phases.map((phase) => [phase, of(phase)])) as Record<P, HelmValues>;
}

async function renderProblems(input: ChartInput, chart: Chart, of: { phase: ValuesPhase; values: HelmValues }): Promise<ChartProblem[]> {
  const problems: ChartProblem[] = [];
  const options = { kubeVersion: input.cluster.kubernetes.version, apiVersions: input.apiVersions, ...(input.signal === undefined ? {} : { signal: input.signal }) };
  const objects = await attemptAsync(problems, 'render', () => renderChart(chart, of.values, options));
  if (objects === undefined) return problems;
  return assertRendered(objects, valuesInput(input, of.phase)).map(({ object, expected, seen }) => ({
    stage: 'assertion',
    object,
    message: `With the values of phase ${of.phase}: expected ${expected}, saw ${seen}.`,
    todo: 'Change what in spec.cilium.values leads to it; without such a value this is a bug of ciliate, please report it.',
  }));
}

/** A problem that stays becomes a finding; an outage is passed on. */
function caught(problems: ChartProblem[], stage: ChartProblem['stage'], error: unknown): undefined {
  if (!(error instanceof CiliateError) || error.kind !== 'Permanent') throw error;
  const { text } = error;
  problems.push(
    typeof text === 'string'
      ? { stage, object: 'Cilium chart', message: text, todo: 'Correct spec.cilium.' }
      : { stage, object: text.object, message: `Expected ${text.expected}, saw ${text.seen}.`, todo: text.todo },
  );
  return undefined;
}

function attempt<T>(problems: ChartProblem[], stage: ChartProblem['stage'], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    return caught(problems, stage, error);
  }
}

async function attemptAsync<T>(problems: ChartProblem[], stage: ChartProblem['stage'], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    return caught(problems, stage, error);
  }
}

/** The same refusal in every phase is said once. */
function unique(problems: ChartProblem[]): ChartProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ stage, object, message }) => {
    const key = `${stage} ${object} ${message}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}
