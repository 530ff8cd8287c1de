import { asyncLocalStorage } from '@temporalio/activity';
import { canonicalJson } from '../../domain/canonical.js';
import type { KubeObject } from '../../domain/cilium/objects.js';
import { CiliateError } from '../../domain/failures.js';
import { leavesOf, recordedLeaves, withLeaves, withoutLeaves } from '../../domain/mesh/leaves.js';
import type { MeshEntry } from '../../domain/mesh/leaves.js';
import { meshValues } from '../../domain/mesh/values.js';
import { KUBE_SYSTEM } from '../../domain/names.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { reachedPhase } from '../cilium/forward.js';
import { withHelmTarget } from '../cilium/helmTarget.js';
import type { Clients } from '../clients/index.js';
import { resolveChart } from '../helm/chart.js';
import type { Chart } from '../helm/chart.js';
import { ensureRelease, readRelease } from '../helm/release.js';
import type { Release } from '../helm/release.js';
import { renderChart } from '../helm/render.js';
import { readCniLedger, recordMesh } from '../kubernetes/cniLedger.js';
import { apiVersions } from '../observe/chart.js';
import { digestOf, forgetCa, readCa, restoreCa } from './ca.js';
import type { MeshActivities, MeshRequest } from './api.js';

type Change = Parameters<MeshActivities['changeMesh']>[0];

/** The only key of cilium-config that a mesh may change. */
const MAY_CHANGE = ['ipv4-native-routing-cidr'];

export async function changeMesh(clients: Clients, request: Change, cacheDir: string): Promise<{ revision: number; changed: boolean }> {
  const release = await releaseOf(clients);
  const { mesh: entry } = await readCniLedger(clients);
  const older = entry?.leaves ?? [];
  const { peers, ownNames, nativeCidr, expose } = request;
  const wanted = meshValues({ expose, peers, ownNames, nativeCidr, rotatedCa: entry?.caReplaced === true ? digestOf((await readCa(clients)) ?? '').slice(0, 16) : null });
  const union = recordedLeaves(wanted, release.values, older);
  // With its peers the entry is complete: what an earlier stage set and this one does not is taken off again.
  const complete = peers === null ? union : union.slice(0, leavesOf(wanted).length);
  const values = withLeaves(withoutLeaves(release.values, peers === null ? [] : union.slice(complete.length)).values, complete);
  const next: MeshEntry = { mesh: request.mesh, leaves: union, caReplaced: entry?.caReplaced ?? false };
  if (canonicalJson(entry) !== canonicalJson(next)) await recordMesh(clients, next);
  const done = await upgrade(clients, { request, release, values, cacheDir });
  if (complete.length < union.length) await recordMesh(clients, { ...next, leaves: complete });
  return done;
}

export async function leaveMesh(clients: Clients, request: MeshRequest, cacheDir: string): Promise<{ changed: boolean; left: string[] }> {
  const { mesh: entry } = await readCniLedger(clients);
  if (entry === null) return { changed: false, left: [] };
  if (entry.mesh !== request.mesh) throw otherMesh(request, entry.mesh);
  const release = await releaseOf(clients);
  // Before helm, which makes every certificate from it.
  if (entry.caReplaced) await restoreCa(clients);
  const { values, left } = withoutLeaves(release.values, entry.leaves);
  const { changed } = await upgrade(clients, { request, release, values, cacheDir });
  await recordMesh(clients, null);
  await forgetCa(clients);
  return { changed, left };
}

interface Upgrade {
  request: MeshRequest;
  release: Release;
  values: HelmValues;
  cacheDir: string;
}

async function upgrade(clients: Clients, { request, release, values, cacheDir }: Upgrade): Promise<{ revision: number; changed: boolean }> {
  const signal = asyncLocalStorage.getStore()?.cancellationSignal;
  const { version, chart: source } = request.manifest.spec.cilium;
  const chart = await resolveChart({ version, ...(source === undefined ? {} : { chart: source }) }, cacheDir, signal);
  await assertOnlyMesh(clients, chart, { before: release.values, after: values, signal });
  // The phase stays the last word of the description: a later run of the migration reads it there.
  const description = `ciliate: ${request.target.migration}, mesh ${request.mesh}, ${reachedPhase(release) ?? 'final'}`;
  return withHelmTarget(clients, (target) => ensureRelease(target, { chart, values, description }));
}

/** Rendered with the values of before and after: the datapath's configuration is the same, but for what a mesh is about. */
async function assertOnlyMesh(clients: Clients, chart: Chart, { before, after, signal }: { before: HelmValues; after: HelmValues; signal: AbortSignal | undefined }): Promise<void> {
  const { gitVersion } = await clients.kube.version.getCode();
  const options = { kubeVersion: gitVersion, apiVersions: await apiVersions(clients.kube), signal };
  const [old, next] = [await renderChart(chart, before, options), await renderChart(chart, after, options)].map(configOf);
  const keys = new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})]);
  const changed = [...keys].filter((key) => old?.[key] !== next?.[key] && !MAY_CHANGE.includes(key));
  if (changed.length === 0) return;
  throw new CiliateError(
    'Permanent',
    { object: `ConfigMap ${KUBE_SYSTEM}/cilium-config as rendered`, expected: `no other change than ${MAY_CHANGE.join(', ')}`, seen: `${changed.join(', ')} would change`, todo: 'Nothing was applied. Does the chart at spec.cilium.chart fit the installed release?' },
    { code: 'RenderedWrong' },
  );
}

function configOf(objects: KubeObject[]): Record<string, string> {
  return objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'cilium-config')?.data ?? {};
}

/** The deployed release; one that a run of ours left unfinished has its older values, on which helm goes on. */
async function releaseOf(clients: Clients): Promise<Release> {
  const release = await withHelmTarget(clients, (target) => readRelease(target));
  if (release !== null) return release;
  throw new CiliateError(
    'Permanent',
    { object: `Helm release ${KUBE_SYSTEM}/cilium`, expected: 'it to be there', seen: 'none', todo: 'Migrate the cluster first: ciliate start -f SPEC.' },
    { code: 'NoRelease' },
  );
}

function otherMesh({ mesh, target }: MeshRequest, other: string): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: `cluster ${target.migration}`, expected: `it in mesh ${mesh}`, seen: `it in mesh ${other}`, todo: 'Disconnect it with the MESH of that name.' },
    { code: 'OtherMesh' },
  );
}
