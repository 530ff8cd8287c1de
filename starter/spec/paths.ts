import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Manifest } from '../../domain/spec/schema.js';
import type { Complaint } from './explain.js';

/** `oci://…` or `https://…`: not a path. */
export function isChartReference(chart: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(chart);
}

/** Paths made absolute from SPEC's own folder, so that the workflow's argument means the same wherever it is read. */
export function withAbsolutePaths(manifest: Manifest, folder: string): Manifest {
  const { cluster, cilium } = manifest.spec;
  const absolute = (path: string): string => resolve(folder, path.startsWith('~/') ? join(homedir(), path.slice(2)) : path);
  return {
    ...manifest,
    spec: {
      ...manifest.spec,
      cluster: cluster.kubeconfig === undefined ? cluster : { ...cluster, kubeconfig: absolute(cluster.kubeconfig) },
      cilium: cilium.chart === undefined || isChartReference(cilium.chart) ? cilium : { ...cilium, chart: absolute(cilium.chart) },
    },
  };
}

/** A chart path must exist: it is hashed into the plan. (A kubeconfig may live on the worker's machine only.) */
export function checkPaths(manifest: Manifest): Complaint[] {
  const { chart } = manifest.spec.cilium;
  if (chart === undefined) return [];
  const complain = (message: string): Complaint[] => [{ path: ['spec', 'cilium', 'chart'], on: 'value', message: `spec.cilium.chart: ${message}` }];
  if (isChartReference(chart)) {
    return /^(oci|https):\/\//.test(chart) ? [] : complain(`expected a path, oci:// or https://, saw ${JSON.stringify(chart)}`);
  }
  if (!existsSync(chart)) return complain(`no such chart: ${chart}; expected the path of a .tgz or of a chart folder, or an oci:// or https:// reference`);
  if (statSync(chart).isDirectory() && !existsSync(join(chart, 'Chart.yaml'))) return complain(`${chart} is a folder without Chart.yaml`);
  return [];
}
