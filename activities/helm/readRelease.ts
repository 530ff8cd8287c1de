import { CiliateError } from '../../domain/failures.js';
import { CILIUM_RELEASE, KUBE_SYSTEM } from '../../domain/names.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { runHelm } from './run.js';

/** What Helm's own record says of one revision. */
export interface Revision {
  revision: number;
  /** `deployed`, `failed`, `pending-install`, `pending-upgrade`, `pending-rollback`, `uninstalling`, `superseded`, `uninstalled`, `unknown`. */
  status: string;
  /** `1.20.0` of `cilium-1.20.0`. */
  chartVersion: string;
  /** `ciliate:…` for revisions of ours that were completed; Helm's own words while it works and after a failure. */
  description: string;
  /** When the revision was last written, as Helm spells it. */
  updated: string;
}

/** The newest revision of release cilium. */
export interface Release extends Revision {
  /** User-supplied values of this revision. */
  values: HelmValues;
  /** Older revisions that are still recorded, oldest first. */
  older: Revision[];
}

export interface ReadOptions {
  kubeconfig: string;
  signal?: AbortSignal;
}

interface HistoryEntry {
  revision: number;
  updated: string;
  status: string;
  chart: string;
  description: string;
}

/**
 * The release `cilium` in kube-system as Helm has it recorded, also while it is pending; null where there is none.
 *
 * @throws CiliateError Transient where the API server is away, Permanent `Forbidden`.
 */
export async function readRelease(options: ReadOptions): Promise<Release | null> {
  const history = await helmJson<HistoryEntry[]>(['history', CILIUM_RELEASE, '--max', '256'], options);
  if (history === null) return null;
  const revisions = history.map(revisionOf).sort((a, b) => a.revision - b.revision);
  const newest = revisions.pop();
  if (newest === undefined) return null;
  const values = await helmJson<HelmValues | null>(['get', 'values', CILIUM_RELEASE, '--revision', String(newest.revision)], options);
  return { ...newest, values: values ?? {}, older: revisions };
}

function revisionOf({ revision, updated, status, chart, description }: HistoryEntry): Revision {
  return { revision, status, description, updated, chartVersion: chart.replace(/^cilium-/, '') };
}

/** Null where helm says that there is no such release. */
async function helmJson<T>(args: string[], { kubeconfig, signal }: ReadOptions): Promise<T | null> {
  try {
    return JSON.parse(await runHelm([...args, '--namespace', KUBE_SYSTEM, '--output', 'json'], { kubeconfig, ...(signal === undefined ? {} : { signal }) })) as T;
  } catch (error) {
    if (error instanceof CiliateError && /release: not found/.test(error.message)) return null;
    throw error;
  }
}
