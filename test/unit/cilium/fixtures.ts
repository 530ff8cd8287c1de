import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { renderChart } from '../../../activities/helm/render.js';
import type { KubeObject } from '../../../domain/cilium/objects.js';
import type { CiliumSpec, HelmValues } from '../../../domain/spec/schema.js';
import type { ValuesInput, ValuesPhase } from '../../../domain/cilium/values.js';
import type { ValuesFacts } from '../../../domain/cilium/facts.js';

export const PHASES: ValuesPhase[] = ['migration', 'enforcement', 'final'];
/** Every minor, with a patch version that exists. */
export const VERSIONS = ['1.12.4', '1.12.19', '1.13.18', '1.14.19', '1.15.19', '1.16.19', '1.17.18', '1.18.12', '1.19.6', '1.20.0'];

export const FACTS: ValuesFacts = {
  masquerade: { enabled: true, interfaces: 'eth0' },
  operatorReplicas: 2,
  prefixDelegation: false,
  operatorTaintKeys: [],
};

export function spec(version: string, values: HelmValues = {}): CiliumSpec {
  return { version, clusterName: 'prod-eu-1', clusterId: 1, masquerade: 'auto', acceptPolicyGap: false, values };
}

export function input(version: string, phase: ValuesPhase, extra: { values?: HelmValues; facts?: Partial<ValuesFacts> } = {}): ValuesInput {
  return { cilium: spec(version, extra.values), clusterName: 'prod-eu-1', phase, facts: { ...FACTS, ...extra.facts } };
}

/** The real charts, which are not part of the project: beside the checkout, or wherever CILIATE_TEST_CHARTS says. */
const folders = [process.env['CILIATE_TEST_CHARTS'], resolve(import.meta.dirname, '../../../../shared/charts')].filter((folder) => folder !== undefined);

export function realChart(version: string): string | undefined {
  return folders.map((folder) => resolve(folder, `cilium-${version}.tgz`)).find((path) => existsSync(path));
}

export const REAL_CHARTS = VERSIONS.flatMap((version) => {
  const path = realChart(version);
  return path === undefined ? [] : [{ version, path }];
});

/** The mutations cost 0.3 s each: on the newest chart here, on all of them in `make test-full`. */
export function thorough(version: string): boolean {
  return process.env['CILIATE_TEST_FULL'] === '1' || REAL_CHARTS.at(-1)?.version === version;
}

const cache = new Map<string, Promise<KubeObject[]>>();

export function renderAnew(path: string, values: HelmValues): Promise<KubeObject[]> {
  return renderChart({ path }, values, { kubeVersion: 'v1.33.0' });
}

/** Once for each set of values: a render costs 0.3 s. */
export function render(path: string, values: HelmValues): Promise<KubeObject[]> {
  const key = `${path} ${JSON.stringify(values)}`;
  const known = cache.get(key) ?? renderAnew(path, values);
  cache.set(key, known);
  return known;
}

export const HAS_HELM = spawnSync(process.env['CILIATE_HELM'] ?? 'helm', ['version', '--short']).status === 0;

/** Tests that need both are skipped, with a word why. */
export const CAN_RENDER = HAS_HELM && REAL_CHARTS.length > 0;
if (!CAN_RENDER) {
  console.warn(`skipped: tests on real charts (${HAS_HELM ? 'no chart in ../shared/charts' : 'no helm: put it on PATH or set CILIATE_HELM'})`);
}
