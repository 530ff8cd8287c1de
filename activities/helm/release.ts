import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical.js';
import { CiliateError } from '../../domain/failures.js';
import { CILIUM_RELEASE, KUBE_SYSTEM } from '../../domain/names.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { ensureDead } from './attempt.js';
import type { HelmAttempt } from './attempt.js';
import type { Chart } from './chart.js';
import { readRelease } from './readRelease.js';
import type { Release } from './readRelease.js';
import { runHelm } from './run.js';

export { readRelease } from './readRelease.js';
export type { Release, Revision } from './readRelease.js';
export type { HelmAttempt } from './attempt.js';

/** Descriptions of revisions that ciliate made begin with it. */
export const OURS = 'ciliate:';

/** The two calls on Secrets that a recovery needs; Helm's record of a revision is Secret `sh.helm.release.v1.cilium.vN`. */
export interface ReleaseSecrets {
  /** Secrets in kube-system with the labels owner=helm, name=cilium. */
  listReleaseSecrets(): Promise<{ name: string; labels: Record<string, string> }[]>;
  /** Deletes a Secret in kube-system; one that is not there is no error. */
  deleteSecret(name: string): Promise<void>;
}

export interface HelmTarget {
  kubeconfig: string;
  secrets: ReleaseSecrets;
  /** The attempt that was last given to `onAttempt` for this cluster, from the CNI ledger; null where there was none. */
  lastAttempt: HelmAttempt | null;
  /** Stores an attempt. Helm starts only after it has resolved; called once more with `endedAt`. */
  onAttempt(attempt: HelmAttempt): Promise<void>;
  signal?: AbortSignal;
  /** Milliseconds for one run of helm that writes; 180 s where absent. Another host waits for as long before it takes over. */
  timeoutMs?: number;
}

export interface WantedRelease {
  chart: Pick<Chart, 'path' | 'version'>;
  values: HelmValues;
  /** Recorded with the revision, after `ciliate:` (which is put before it where it is not there). */
  description: string;
  /** What the caller has read a moment ago, instead of a first reading here; before anything is written it is read again. */
  seen?: Release | null;
}

const HISTORY_MAX = 20;
const DEFAULT_TIMEOUT_MS = 180_000;
/** Reads and recoveries in one call before something is plainly wrong. */
const ROUNDS = 4;

/**
 * Makes release `cilium` be this chart with these values. Reads before it writes: with equal values and chart version nothing is
 * done and no revision made. A run that was cut off (pending or failed, and ours) is recovered: its helm is known dead, its record is
 * deleted and the revision made again under the same number. Does not wait for pods.
 *
 * @throws CiliateError Permanent `ForeignRelease` for a release that is not ours; NotYet `HelmElsewhere` while a helm of ours may be alive on
 *   another host; what helm says, mapped.
 */
export async function ensureRelease(target: HelmTarget, wanted: WantedRelease): Promise<{ revision: number; changed: boolean }> {
  const values = JSON.parse(JSON.stringify(wanted.values)) as HelmValues;
  for (let round = 0; round < ROUNDS; round++) {
    const release = round === 0 && wanted.seen !== undefined ? wanted.seen : await readRelease(target);
    if (release !== null) {
      assertOurs(release, target.lastAttempt);
      if (isDone(release, { ...wanted, values }) && !wasCutOff(release, target.lastAttempt)) return { revision: release.revision, changed: false };
    }
    await ensureDead(target.lastAttempt);
    if (release !== null && (await recover(release, target))) continue;
    // Helm may have gone on between the reading and its death: what was read must still be so.
    if (release?.revision !== (await readRelease(target))?.revision) continue;
    const revision = (release?.revision ?? 0) + 1;
    await writing(target, { does: release === null ? 'install' : 'upgrade', revision, values, chartVersion: wanted.chart.version }, upgradeArguments(wanted));
    return { revision: await confirmed(target, { ...wanted, values }), changed: true };
  }
  throw neverSettles();
}

/**
 * Uninstalls release `cilium` with all its history; nothing is done where there is none. A release of ours that is pending, failed or
 * half uninstalled goes the same way.
 *
 * @throws as {@link ensureRelease}
 */
export async function uninstallRelease(target: HelmTarget): Promise<{ changed: boolean }> {
  const release = await readRelease(target);
  if (release === null) {
    // A helm that has written nothing yet would still install.
    await ensureDead(target.lastAttempt);
    if ((await readRelease(target)) === null) return { changed: false };
    return uninstallRelease(target);
  }
  assertOurs(release, target.lastAttempt);
  await ensureDead(target.lastAttempt);
  await uninstall(target, release);
  return { changed: true };
}

/** sha256 of the canonical JSON of values, in hex. */
export function valuesSha256(values: HelmValues): string {
  return createHash('sha256').update(canonicalJson(values)).digest('hex');
}

/** Whether a release is ours: by its description, or, where Helm wrote its own words there, by the record of our attempt. */
export function isOurs(release: Release, attempt: HelmAttempt | null): boolean {
  if (release.description.startsWith(OURS)) return true;
  if (!isUnfinished(release.status) || attempt === null || attempt.revision !== release.revision) return false;
  const before = release.older.at(-1);
  const inherited = before === undefined || before.status === 'uninstalled' || before.description.startsWith(OURS);
  return inherited && attempt.valuesSha256 === valuesSha256(release.values);
}

function isUnfinished(status: string): boolean {
  return status.startsWith('pending-') || ['failed', 'unknown', 'uninstalling'].includes(status);
}

function assertOurs(release: Release, attempt: HelmAttempt | null): void {
  // `helm uninstall --keep-history`: there is no Cilium, only the memory of one.
  if (release.status === 'uninstalled' || isOurs(release, attempt)) return;
  throw new CiliateError(
    'Permanent',
    {
      object: `Helm release ${KUBE_SYSTEM}/${CILIUM_RELEASE}`,
      expected: 'none, or one of ciliate',
      seen: `revision ${release.revision}, ${release.status}, chart ${release.chartVersion}, "${release.description}" (${release.updated})`,
      todo: 'Find out who installs Cilium here (helm history cilium -n kube-system). Undo it, or leave this cluster out.',
    },
    { code: 'ForeignRelease' },
  );
}

function isDone(release: Release, { chart, values }: WantedRelease): boolean {
  return release.status === 'deployed' && release.chartVersion === chart.version && canonicalJson(release.values) === canonicalJson(values);
}

/**
 * A later revision was begun, and its record is gone (recovered by a run that ended before it made it again): the release says what it
 * said before, but live objects may have been changed already.
 */
function wasCutOff(release: Release, attempt: HelmAttempt | null): boolean {
  return attempt !== null && attempt.does !== 'uninstall' && attempt.revision > release.revision;
}

/** Clears what a cut-off or failed run left. True where it did something, so that the world is read again. */
async function recover(release: Release, target: HelmTarget): Promise<boolean> {
  if (release.status === 'uninstalling') {
    await uninstall(target, release);
    return true;
  }
  if (!isUnfinished(release.status)) return false;
  const name = `sh.helm.release.v1.${CILIUM_RELEASE}.v${release.revision}`;
  const secret = (await target.secrets.listReleaseSecrets()).find((candidate) => candidate.name === name);
  // Only what was looked at: by now somebody else may have finished it.
  if (secret?.labels['owner'] === 'helm' && secret.labels['status'] === release.status) await target.secrets.deleteSecret(name);
  return true;
}

function upgradeArguments({ chart, description }: WantedRelease): string[] {
  const text = description.startsWith(OURS) ? description : `${OURS}${description}`;
  const flags = ['--install', '--reset-values', '--history-max', String(HISTORY_MAX), '--description', text];
  return ['upgrade', CILIUM_RELEASE, chart.path, '--namespace', KUBE_SYSTEM, ...flags];
}

/** The attempt carries what is uninstalled, so that a release that is found half gone is still known as ours. */
async function uninstall(target: HelmTarget, { revision, values, chartVersion }: Release): Promise<void> {
  try {
    await writing(target, { does: 'uninstall', revision, values, chartVersion }, ['uninstall', CILIUM_RELEASE, '--namespace', KUBE_SYSTEM]);
  } catch (error) {
    if (!(error instanceof CiliateError) || !/release: not found/.test(error.message)) throw error;
  }
}

interface Write {
  does: HelmAttempt['does'];
  revision: number;
  values: HelmValues;
  chartVersion: string;
}

/** One run of helm that writes: recorded before it starts and after it has ended, limited by Helm's own timeout and by the supervisor's. */
async function writing(target: HelmTarget, { does, revision, values, chartVersion }: Write, args: string[]): Promise<void> {
  const timeoutMs = target.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const own = ['--timeout', `${Math.max(1, Math.floor(timeoutMs / 1000) - 5)}s`];
  let attempt: HelmAttempt | null = null;
  try {
    await runHelm([...args, ...own], {
      kubeconfig: target.kubeconfig,
      timeoutMs,
      ...(does === 'uninstall' ? {} : { values }),
      ...(target.signal === undefined ? {} : { signal: target.signal }),
      onSpawn: async (spawned) => {
        attempt = { ...spawned, does, revision, valuesSha256: valuesSha256(values), chartVersion, startedAt: new Date().toISOString() };
        await target.onAttempt(attempt);
        // From here on it is the last one: a retry within this call must look for it, too.
        target.lastAttempt = attempt;
      },
    });
  } finally {
    await ended(target, attempt);
  }
}

/** Only spares another host the waiting, so it may fail. */
async function ended(target: HelmTarget, attempt: HelmAttempt | null): Promise<void> {
  if (attempt === null) return;
  target.lastAttempt = { ...attempt, endedAt: new Date().toISOString() };
  await target.onAttempt(target.lastAttempt).catch(() => undefined);
}

async function confirmed(target: HelmTarget, wanted: WantedRelease): Promise<number> {
  const release = await readRelease(target);
  if (release !== null && isDone(release, wanted)) return release.revision;
  const seen = release === null ? 'no release' : `revision ${release.revision}, ${release.status}, chart ${release.chartVersion}`;
  throw new CiliateError('Transient', {
    object: `Helm release ${KUBE_SYSTEM}/${CILIUM_RELEASE}`,
    expected: `chart ${wanted.chart.version} deployed with the values given`,
    seen,
    todo: 'It is looked at again.',
  });
}

function neverSettles(): CiliateError {
  return new CiliateError(
    'Transient',
    {
      object: `Helm release ${KUBE_SYSTEM}/${CILIUM_RELEASE}`,
      expected: 'to stay as it was read',
      seen: `something else each of ${ROUNDS} times`,
      todo: 'Somebody else runs helm on it: find out who (helm history cilium -n kube-system). It is tried again.',
    },
    { code: 'ReleasePending' },
  );
}
