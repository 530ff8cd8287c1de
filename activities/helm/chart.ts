import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CiliateError } from '../../domain/failures.js';
import { runHelm } from './run.js';

/** The public Helm repository of Cilium. */
export const CILIUM_REPOSITORY = 'https://helm.cilium.io';

export interface ChartRequest {
  /** spec.cilium.version. */
  version: string;
  /** spec.cilium.chart: absolute path of a .tgz or folder, oci:// or https:// reference; the public repository where absent. */
  chart?: string;
}

export interface Chart {
  /** Absolute path of a .tgz or a folder on this machine. */
  path: string;
  version: string;
  appVersion: string;
  /** Of the .tgz's bytes, or over all files of a folder. */
  sha256: string;
  /** Kubernetes versions that the chart accepts, as in Chart.yaml; empty where it says nothing. */
  kubeVersion: string;
  /** Where it came from, for the plan: the path or reference as given, or the repository. */
  source: string;
}

/**
 * Finds or fetches the chart of a spec. What was fetched stays in `cacheDir`, one file a source and version.
 *
 * @throws CiliateError Permanent `ChartVersion` where Chart.yaml is of another version, `ChartMissing` where there is none at the path
 *   or reference; Transient where the network is away.
 */
export async function resolveChart(request: ChartRequest, cacheDir: string, signal?: AbortSignal): Promise<Chart> {
  const remote = request.chart === undefined || /^(oci|https):\/\//.test(request.chart);
  const path = remote ? await fetched(request, cacheDir, signal) : (request.chart as string);
  const source = request.chart ?? `${CILIUM_REPOSITORY} cilium ${request.version}`;
  const chart = await describe(path, source, signal);
  if (chart.version === request.version) return chart;
  throw new CiliateError(
    'Permanent',
    {
      object: `chart ${source}`,
      expected: `version ${request.version}, as spec.cilium.version says`,
      seen: `version ${chart.version} in its Chart.yaml`,
      todo: 'Set spec.cilium.version to the version of the chart, or give another chart.',
    },
    { code: 'ChartVersion' },
  );
}

async function describe(path: string, source: string, signal?: AbortSignal): Promise<Chart> {
  const sha256 = await digest(path).catch((error: unknown) => {
    throw missing(source, error instanceof Error ? error.message : String(error));
  });
  const text = await runHelm(['show', 'chart', path], { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) });
  const yaml = parse(text) as { name?: unknown; version?: unknown; appVersion?: unknown; kubeVersion?: unknown } | null;
  if (yaml?.name !== 'cilium') throw missing(source, `a chart named ${JSON.stringify(yaml?.name ?? null)}`);
  return { path, version: String(yaml.version), appVersion: String(yaml.appVersion ?? ''), sha256, kubeVersion: String(yaml.kubeVersion ?? ''), source };
}

/** sha256 of a file, or of a folder: every file's relative path, size and bytes, in the order of their paths. */
export async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  if ((await stat(path)).isFile()) return hash.update(await readFile(path)).digest('hex');
  for (const name of await filesBelow(path)) {
    const bytes = await readFile(join(path, ...name.split('/')));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, prefix))) {
    const name = prefix === '' ? entry : `${prefix}/${entry}`;
    // Follows links, as helm does.
    if ((await stat(join(folder, name))).isDirectory()) names.push(...(await filesBelow(folder, name)));
    else names.push(name);
  }
  return names.sort();
}

async function fetched({ version, chart }: ChartRequest, cacheDir: string, signal?: AbortSignal): Promise<string> {
  const origin = createHash('sha256').update(chart ?? CILIUM_REPOSITORY).digest('hex').slice(0, 12);
  const path = join(cacheDir, `cilium-${version}-${origin}.tgz`);
  if (await stat(path).then((found) => found.isFile(), () => false)) return path;

  // Pulled beside its place and renamed: another worker sees all of it or nothing.
  const folder = join(cacheDir, `.pull-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    await runHelm(['pull', ...pullArguments(version, chart), '--destination', folder], { timeoutMs: 120_000, ...(signal === undefined ? {} : { signal }) });
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    if (file === undefined) throw missing(chart ?? CILIUM_REPOSITORY, 'no .tgz came');
    await rename(join(folder, file), path);
    return path;
  } catch (error) {
    throw unreachable(error, chart);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An https:// address that ends in .tgz is the chart itself, any other a repository. */
function pullArguments(version: string, chart: string | undefined): string[] {
  if (chart?.startsWith('oci://') === true) return [chart, '--version', version];
  if (chart?.endsWith('.tgz') === true) return [chart];
  return ['cilium', '--repo', chart ?? CILIUM_REPOSITORY, '--version', version];
}

function unreachable(error: unknown, chart: string | undefined): unknown {
  if (!(error instanceof CiliateError) || error.kind !== 'Transient') return error;
  return new CiliateError(
    'Transient',
    {
      object: `chart ${chart ?? `cilium of ${CILIUM_REPOSITORY}`}`,
      expected: 'to be fetched',
      seen: error.message,
      todo: 'It is tried again. Where the worker has no way to the internet, set spec.cilium.chart to a .tgz on its disk.',
    },
    { code: 'ChartUnreachable', cause: error },
  );
}

function missing(source: string, seen: string): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: `chart ${source}`, expected: 'the Cilium chart, a .tgz or a folder', seen, todo: 'Correct spec.cilium.chart; its path is read on the worker.' },
    { code: 'ChartMissing' },
  );
}
