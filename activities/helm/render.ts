import { createHash } from 'node:crypto';
import { CORE_SCHEMA, loadAll, YAMLException } from 'js-yaml';
import { CiliateError } from '../../domain/failures.js';
import { CILIUM_RELEASE, KUBE_SYSTEM } from '../../domain/names.js';
import type { KubeObject } from '../../domain/cilium/objects.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { runHelm } from './run.js';

export interface RenderOptions {
  /** Version of the cluster, such as `v1.36.3`; the chart renders by it. Helm's own default where absent. */
  kubeVersion?: string;
  /** API groups that the chart may ask for, such as `monitoring.coreos.com/v1`. */
  apiVersions?: string[];
  signal?: AbortSignal;
}

/** A migration renders the same few values again and again: at preflight, after each approval, before each upgrade. */
const RENDERS_KEPT = 8;
const kept = new Map<string, KubeObject[]>();

/**
 * Renders a chart without a cluster (`helm template`), hooks included, CRDs not. The same chart (by its content) and input are
 * rendered once a process; the objects are shared, do not change them.
 *
 * @throws CiliateError Permanent `ChartInvalid` with helm's message where the chart refuses the values or renders no YAML.
 */
export async function renderChart(chart: { path: string; sha256?: string }, values: HelmValues, options: RenderOptions = {}): Promise<KubeObject[]> {
  if (chart.sha256 === undefined) return render(chart, values, options);
  const key = createHash('sha256').update(JSON.stringify([chart.sha256, values, options.kubeVersion, options.apiVersions])).digest('hex');
  const known = kept.get(key);
  if (known !== undefined) return known;
  const objects = await render(chart, values, options);
  kept.set(key, objects);
  const [oldest = key] = kept.keys();
  if (kept.size > RENDERS_KEPT) kept.delete(oldest);
  return objects;
}

async function render(chart: { path: string }, values: HelmValues, options: RenderOptions): Promise<KubeObject[]> {
  const args = ['template', CILIUM_RELEASE, chart.path, '--namespace', KUBE_SYSTEM];
  if (options.kubeVersion !== undefined) args.push('--kube-version', options.kubeVersion);
  for (const apiVersion of options.apiVersions ?? []) args.push('--api-versions', apiVersion);
  return parseManifests(await runHelm(args, { values, timeoutMs: 60_000, ...(options.signal === undefined ? {} : { signal: options.signal }) }));
}

/** Kubernetes objects of a stream of YAML documents; empty documents are left out, a key that stands twice is an error. */
export function parseManifests(text: string): KubeObject[] {
  return documents(text).flatMap((object) => {
    if (object === null || object === undefined) return [];
    if (!isKubeObject(object)) throw badYaml(`a document that is no Kubernetes object: ${JSON.stringify(object).slice(0, 200)}`);
    return [object];
  });
}

/** js-yaml and not `yaml`, which specs are read with: several times as fast, and nobody needs positions here. */
function documents(text: string): unknown[] {
  try {
    return loadAll(text, null, { schema: CORE_SCHEMA });
  } catch (error) {
    if (error instanceof YAMLException) throw badYaml(error.message);
    throw error;
  }
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string';
}

function badYaml(seen: string): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: 'the rendered chart', expected: 'Kubernetes objects, no key twice', seen, todo: 'Look at spec.cilium.values (extraConfig repeats a key?).' },
    { code: 'ChartInvalid' },
  );
}
