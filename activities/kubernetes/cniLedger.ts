import { DescribePodIdentityAssociationCommand } from '@aws-sdk/client-eks';
import type { V1ClusterRole, V1ClusterRoleBinding, V1ConfigMap, V1DaemonSet, V1ServiceAccount } from '@kubernetes/client-node';
import { isChanged } from '../../domain/cilium/placement.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import type { Strategy } from '../../domain/spec/words.js';
import type { MeshEntry } from '../../domain/mesh/leaves.js';
import { AWS_NODE, CNI_LEDGER, KUBE_SYSTEM } from '../../domain/names.js';
import { readAddon } from '../aws/addon.js';
import type { VpcCniAddon } from '../aws/addon.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { HelmAttempt } from '../helm/attempt.js';
import { changeData, readData } from './configMap.js';
import type { Data } from './configMap.js';
import { systemDaemonSet } from './lists.js';

/** Keys of ConfigMap ciliate-cni: what only a rollback undoes. Kept after success. */
const KEYS = {
  daemonSet: 'daemonset.json',
  serviceAccount: 'serviceaccount.json',
  clusterRole: 'clusterrole.json',
  clusterRoleBinding: 'clusterrolebinding.json',
  configMap: 'configmap.json',
  addon: 'addon.json',
  labels: 'labels.json',
  helm: 'helm-attempt.json',
  clusterId: 'cluster-id',
  strategy: 'strategy',
  mesh: 'mesh.json',
} as const;
/** Nodes a ConfigMap: about 140 bytes each, of a megabyte that also holds the originals. */
export const LABELS_A_PAGE = 2_000;
const VPC_CNI_CONFIG = 'amazon-vpc-cni';

/** A node that carries our label, known by its UID. */
export interface LabelEntry {
  uid: string;
  name: string;
  at: string;
}

export interface SavedAddon {
  cluster: string;
  addonVersion?: string;
  configurationValues?: string;
  serviceAccountRoleArn?: string;
  podIdentityAssociations?: string[];
  /** What those associations say: they go with the add-on. */
  podIdentity?: { serviceAccount: string; roleArn: string }[];
}

export interface CniLedger {
  /** When it was written (ISO 8601); null where there is none. */
  since: string | null;
  daemonSet?: V1DaemonSet;
  serviceAccount?: V1ServiceAccount;
  clusterRole?: V1ClusterRole;
  clusterRoleBinding?: V1ClusterRoleBinding;
  configMap?: V1ConfigMap;
  addon?: SavedAddon;
  labels: LabelEntry[];
  helm: HelmAttempt | null;
  /** cilium.clusterId that a migration brought along: the cluster's for good, so that a fleet gives it no other and nobody else this one. */
  clusterId: number | null;
  /** The strategy that was last begun; null in the ledger of an earlier build. */
  strategy: Strategy | null;
  /** What a mesh changed in the Helm values; every later values of this cluster have it, too. */
  mesh: MeshEntry | null;
}

export async function readCniLedger(clients: Clients): Promise<CniLedger> {
  const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: CNI_LEDGER }));
  const data = found?.data ?? {};
  return {
    since: found === undefined ? null : (found.metadata?.creationTimestamp?.toISOString() ?? ''),
    daemonSet: parsed<V1DaemonSet>(data, KEYS.daemonSet),
    serviceAccount: parsed<V1ServiceAccount>(data, KEYS.serviceAccount),
    clusterRole: parsed<V1ClusterRole>(data, KEYS.clusterRole),
    clusterRoleBinding: parsed<V1ClusterRoleBinding>(data, KEYS.clusterRoleBinding),
    configMap: parsed<V1ConfigMap>(data, KEYS.configMap),
    addon: parsed<SavedAddon>(data, KEYS.addon),
    labels: await readLabels(clients),
    helm: parsed<HelmAttempt>(data, KEYS.helm) ?? null,
    clusterId: parsed<number>(data, KEYS.clusterId) ?? null,
    strategy: parsed<Strategy>(data, KEYS.strategy) ?? null,
    mesh: parsed<MeshEntry>(data, KEYS.mesh) ?? null,
  };
}

function parsed<T>(data: Data, key: string): T | undefined {
  const text = data[key];
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/**
 * Saves aws-node as it is, once: what is saved is never overwritten, and what is changed already is never saved as an
 * original (a run that comes late finds the ledger of the first one; where that is lost there is nothing true to save).
 */
export async function saveCni(clients: Clients, { clusterId, strategy }: { clusterId?: number | undefined; strategy?: Strategy | undefined } = {}): Promise<void> {
  if (clusterId !== undefined) await recordFact(clients, KEYS.clusterId, clusterId);
  if (strategy !== undefined) await recordFact(clients, KEYS.strategy, strategy);
  const saved = await readData(clients, CNI_LEDGER);
  if (saved !== undefined && KEYS.daemonSet in saved) return;
  const originals = await readOriginals(clients);
  await changeData(clients, { name: CNI_LEDGER }, (data) => {
    const missing = Object.entries(originals).filter(([key]) => !(key in data));
    return missing.length === 0 ? data : { ...data, ...Object.fromEntries(missing) };
  });
}

/** What a migration brings along; the newest one's counts. */
async function recordFact(clients: Clients, key: string, value: number | string): Promise<void> {
  const text = JSON.stringify(value);
  await changeData(clients, { name: CNI_LEDGER }, (data) => (data[key] === text ? data : { ...data, [key]: text }));
}

async function readOriginals(clients: Clients): Promise<Record<string, string>> {
  const { core, rbac } = clients.kube;
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  if (daemonSet === undefined || isChanged(daemonSet.spec?.template.spec?.affinity as Affinity | undefined)) return {};
  const serviceAccountName = daemonSet.spec?.template.spec?.serviceAccountName ?? AWS_NODE;
  const [serviceAccount, configMap, bindings, addon] = await Promise.all([
    orUndefined(core.readNamespacedServiceAccount({ namespace: KUBE_SYSTEM, name: serviceAccountName })),
    orUndefined(core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: VPC_CNI_CONFIG })),
    rbac.listClusterRoleBinding(),
    readAddon(clients),
  ]);
  const binding = bindings.items.find((candidate) =>
    candidate.subjects?.some((subject) => subject.kind === 'ServiceAccount' && subject.namespace === KUBE_SYSTEM && subject.name === serviceAccountName),
  );
  const role = binding && (await orUndefined(rbac.readClusterRole({ name: binding.roleRef.name })));
  return texts({
    [KEYS.daemonSet]: cleaned(daemonSet, 'apps/v1', 'DaemonSet'),
    [KEYS.serviceAccount]: cleaned(serviceAccount, 'v1', 'ServiceAccount'),
    [KEYS.configMap]: cleaned(configMap, 'v1', 'ConfigMap'),
    [KEYS.clusterRoleBinding]: cleaned(binding, 'rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
    [KEYS.clusterRole]: cleaned(role, 'rbac.authorization.k8s.io/v1', 'ClusterRole'),
    [KEYS.addon]: addon && (await savedAddon(clients, addon)),
  });
}

function texts(values: Record<string, object | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, JSON.stringify(value)]])));
}

async function savedAddon(clients: Clients, { cluster, addon }: VpcCniAddon): Promise<SavedAddon> {
  const { addonVersion, configurationValues, serviceAccountRoleArn, podIdentityAssociations } = addon;
  const podIdentity = await Promise.all((podIdentityAssociations ?? []).map((arn) => readAssociation(clients, cluster, arn)));
  return { cluster, addonVersion, configurationValues, serviceAccountRoleArn, podIdentityAssociations, podIdentity };
}

async function readAssociation(clients: Clients, clusterName: string, arn: string): Promise<{ serviceAccount: string; roleArn: string }> {
  const { association } = await clients.aws.eks.send(new DescribePodIdentityAssociationCommand({ clusterName, associationId: arn.split('/').at(-1) ?? '' }));
  return { serviceAccount: association?.serviceAccount ?? '', roleArn: association?.roleArn ?? '' };
}

/** Without what the server writes: what is left can be applied again as it is. */
function cleaned<T extends { metadata?: object; status?: unknown; apiVersion?: string; kind?: string }>(object: T | undefined, apiVersion: string, kind: string): object | undefined {
  if (object === undefined) return undefined;
  const { status: _status, metadata, ...rest } = object;
  const {
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    managedFields: _fields,
    selfLink: _link,
    ...kept
  } = (metadata ?? {}) as Record<string, unknown>;
  return { ...rest, apiVersion, kind, metadata: kept };
}

/** Nodes that are about to be labelled; before the label. */
export async function recordLabels(clients: Clients, entries: LabelEntry[]): Promise<void> {
  const known = await readLabels(clients);
  const uids = new Set(known.map(({ uid }) => uid));
  const all = [...known, ...entries.filter(({ uid }) => !uids.has(uid))];
  // Pages are only ever added to, so those before the first new entry stay as they are.
  for (let page = Math.floor(known.length / LABELS_A_PAGE); page * LABELS_A_PAGE < all.length; page++) {
    const text = JSON.stringify(all.slice(page * LABELS_A_PAGE, (page + 1) * LABELS_A_PAGE));
    await changeData(clients, { name: labelsPage(page) }, (data) => (data[KEYS.labels] === text ? data : { ...data, [KEYS.labels]: text }));
  }
}

/** The first page stands with the rest of the ledger. */
function labelsPage(page: number): string {
  return page === 0 ? CNI_LEDGER : `${CNI_LEDGER}-labels-${page + 1}`;
}

async function readLabels(clients: Clients): Promise<LabelEntry[]> {
  const labels: LabelEntry[] = [];
  for (let page = 0; ; page++) {
    const data = await readData(clients, labelsPage(page));
    const entries = data === undefined ? [] : (parsed<LabelEntry[]>(data, KEYS.labels) ?? []);
    labels.push(...entries);
    if (entries.length < LABELS_A_PAGE) return labels;
  }
}

/** What helm was started with; before it starts, and once more when it ended. */
export async function recordHelmAttempt(clients: Clients, attempt: HelmAttempt): Promise<void> {
  await changeData(clients, { name: CNI_LEDGER }, (data) => ({ ...data, [KEYS.helm]: JSON.stringify(attempt) }));
}

/** What a mesh changes, before it does; null once it is undone. */
export async function recordMesh(clients: Clients, entry: MeshEntry | null): Promise<void> {
  await changeData(clients, { name: CNI_LEDGER }, ({ [KEYS.mesh]: _before, ...data }) => (entry === null ? data : { ...data, [KEYS.mesh]: JSON.stringify(entry) }));
}

/** After an unwound install nothing is left to roll back. */
export async function deleteCniLedger(clients: Clients): Promise<void> {
  for (let page = Math.floor((await readLabels(clients)).length / LABELS_A_PAGE); page >= 0; page--) await changeData(clients, { name: labelsPage(page) }, () => null);
}
