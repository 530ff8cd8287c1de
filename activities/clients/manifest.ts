import { isAbsolute } from 'node:path';
import { fightingKeys } from '../../domain/cilium/fightingKeys.js';
import { CiliateError } from '../../domain/failures.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';

/**
 * Strictly validates what a workflow was started with: `temporal workflow start` and the UI take any JSON.
 *
 * @throws CiliateError Permanent `InvalidManifest` that names every issue
 */
export function readManifest(input: unknown): Manifest {
  const parsed = manifestSchema.safeParse(input);
  if (!parsed.success) throw invalid(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`));
  const manifest = parsed.data;
  const issues = [...relativePaths(manifest), ...fights(manifest)];
  if (issues.length > 0) throw invalid(issues);
  return manifest;
}

/** `ciliate start` makes paths absolute; a worker has no folder to take a relative one from. */
function relativePaths({ spec }: Manifest): string[] {
  const chart = spec.cilium.chart;
  const paths = {
    'spec.cluster.kubeconfig': spec.cluster.kubeconfig,
    'spec.cilium.chart': chart === undefined || /^(oci|https):\/\//.test(chart) ? undefined : chart,
  };
  return Object.entries(paths).flatMap(([key, path]) => (path === undefined || isAbsolute(path) ? [] : [`${key}: expected an absolute path on the worker, saw ${path}`]));
}

function fights({ spec }: Manifest): string[] {
  return fightingKeys(spec.cilium.values, { version: spec.cilium.version, strategy: spec.strategy }).map(({ path, why }) => `spec.cilium.values.${path}: ${why}`);
}

function invalid(issues: string[]): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: 'ClusterMigration', expected: 'a valid manifest (schemas/clustermigration.schema.json)', seen: issues.join('; '), todo: 'Correct it and start again; `ciliate start -f SPEC` checks it before.' },
    { code: 'InvalidManifest', details: { issues } },
  );
}
