import type { V1DaemonSet } from '@kubernetes/client-node';
import { isOffCiliumNodes, offCiliumNodes } from '../../domain/cilium/placement.js';
import { CiliateError } from '../../domain/failures.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { AWS_NODE, CILIUM_LABEL, FIELD_MANAGER, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look, RestoredHow } from '../api.js';
import { addonOffCiliumNodes, createAddon, openedAffinity, parseConfiguration, readAddon, updateAddonAffinity } from '../aws/addon.js';
import { isConflict } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { addonBlockers, affinityOf, assertSettled, assertUpdate, environment, environmentChanges, rolloutBlockers, setPlacement } from './awsNode.js';
import { assertCiliumConfined } from './confinedCilium.js';
import { readCniLedger } from './cniLedger.js';
import type { CniLedger } from './cniLedger.js';
import { systemDaemonSet } from './lists.js';
import { markCilium } from './markCilium.js';
import { patchDaemonSet } from './patch.js';
import type { PatchOp } from './patch.js';

const OBJECT = `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`;

/**
 * Lets aws-node onto every node that is not marked. The live one and its add-on are changed; what is gone is made again from the CNI
 * ledger with the new affinity in it from the first moment on.
 */
export async function restoreAwsNode(clients: Clients): Promise<{ how: RestoredHow; updateId?: string }> {
  await assertMayReturn(clients);
  const [daemonSet, owner, ledger] = await Promise.all([systemDaemonSet(clients, AWS_NODE), readAddon(clients), readCniLedger(clients)]);
  if (owner !== undefined) {
    if (addonOffCiliumNodes(owner.addon)) return { how: 'already' };
    assertSettled(owner);
    const live = daemonSet ?? ledger.daemonSet;
    return { how: 'addon', updateId: await updateAddonAffinity(clients, owner, openedAffinity(owner.addon, live && affinityOf(live))) };
  }
  if (daemonSet !== undefined) {
    if (isOffCiliumNodes(affinityOf(daemonSet))) return { how: 'already' };
    await setPlacement(clients, daemonSet, { affinity: offCiliumNodes(affinityOf(daemonSet)) });
    return { how: 'patched' };
  }
  return makeAgain(clients, ledger);
}

/**
 * Done when the add-on is settled and aws-node's rollout is over; with its affinity as the way back needs it, or, at the end, as it was
 * at first (`saved`; who put it back has checked it).
 */
export async function lookAwsNodeRestored(clients: Clients, { known, saved, updateId }: { known: string; saved: boolean; updateId?: string | undefined }): Promise<Look> {
  const owner = await readAddon(clients);
  if (owner !== undefined && updateId !== undefined) await assertUpdate(clients, owner, updateId);
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  const settled = owner === undefined || owner.addon.status === 'ACTIVE';
  const blockers: Blocker[] = addonBlockers(owner);
  if (daemonSet === undefined) blockers.push({ object: OBJECT, reason: 'is not there yet', todo: `kubectl -n ${KUBE_SYSTEM} get ds ${AWS_NODE}` });
  else if (settled && !saved && (await mend(clients, daemonSet))) blockers.push({ object: OBJECT, reason: 'was just changed', todo: 'It is awaited.' });
  else blockers.push(...rolloutBlockers(daemonSet, OBJECT));
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object }) => object), extra: {} });
}

async function assertMayReturn(clients: Clients): Promise<void> {
  // A node that came up on Cilium at the last moment.
  await markCilium(clients);
  await assertCiliumConfined(clients);
}

/** What the add-on does not reach (PRESERVE keeps what somebody set by hand) or does not know. True where something was written. */
async function mend(clients: Clients, daemonSet: V1DaemonSet): Promise<boolean> {
  if (!isOffCiliumNodes(affinityOf(daemonSet))) {
    await assertMayReturn(clients);
    await setPlacement(clients, daemonSet, { affinity: offCiliumNodes(affinityOf(daemonSet)) });
    return true;
  }
  return restoreEnvironment(clients, daemonSet);
}

/**
 * An add-on that was made again has EKS's environment: what somebody had set by hand is set again. Only there: in one that was never
 * away a change is newer than the ledger, and somebody's.
 */
async function restoreEnvironment(clients: Clients, daemonSet: V1DaemonSet): Promise<boolean> {
  const ledger = await readCniLedger(clients);
  const { daemonSet: saved, since } = ledger;
  const made = daemonSet.metadata?.creationTimestamp?.getTime() ?? 0;
  if (saved === undefined || since === null || made <= Date.parse(since)) return false;
  if (environmentChanges(environment(saved), environment(daemonSet)).length === 0) return false;
  const ops = (['initContainers', 'containers'] as const).flatMap((kind) => environmentOps(kind, saved, daemonSet));
  if (ops.length === 0) return false;
  await patchDaemonSet(clients, { namespace: KUBE_SYSTEM, name: AWS_NODE }, [{ op: 'test', path: '/metadata/resourceVersion', value: daemonSet.metadata?.resourceVersion }, ...ops]);
  return true;
}

function environmentOps(kind: 'initContainers' | 'containers', saved: V1DaemonSet, live: V1DaemonSet): PatchOp[] {
  const before = saved.spec?.template.spec?.[kind] ?? [];
  return (live.spec?.template.spec?.[kind] ?? []).flatMap((container, index): PatchOp[] => {
    const wanted = before.find(({ name }) => name === container.name)?.env;
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(container.env)) return [];
    return [{ op: 'add', path: `/spec/template/spec/${kind}/${index}/env`, value: wanted }];
  });
}

/** @throws CiliateError NeedsHuman `NoCniLedger` where nothing is saved to make it from */
async function makeAgain(clients: Clients, ledger: CniLedger): Promise<{ how: RestoredHow }> {
  const { addon, daemonSet } = ledger;
  if (addon !== undefined) {
    const configured = parseConfiguration(addon.configurationValues)['affinity'] as Affinity | undefined;
    await createAddon(clients, addon, offCiliumNodes(configured ?? (daemonSet && affinityOf(daemonSet))));
    return { how: 'addon-created' };
  }
  if (daemonSet === undefined) throw nothingSaved();
  await createManifests(clients, ledger, daemonSet);
  return { how: 'manifests' };
}

/** In the order in which they need each other; what is there already stays as it is. */
async function createManifests({ kube: { core, rbac, apps } }: Clients, ledger: CniLedger, daemonSet: V1DaemonSet): Promise<void> {
  const { serviceAccount, clusterRole, clusterRoleBinding, configMap } = ledger;
  const own = { namespace: KUBE_SYSTEM, fieldManager: FIELD_MANAGER };
  if (serviceAccount !== undefined) await unlessThere(() => core.createNamespacedServiceAccount({ ...own, body: serviceAccount }));
  if (clusterRole !== undefined) await unlessThere(() => rbac.createClusterRole({ body: clusterRole, fieldManager: FIELD_MANAGER }));
  if (clusterRoleBinding !== undefined) await unlessThere(() => rbac.createClusterRoleBinding({ body: clusterRoleBinding, fieldManager: FIELD_MANAGER }));
  if (configMap !== undefined) await unlessThere(() => core.createNamespacedConfigMap({ ...own, body: configMap }));
  const body = structuredClone(daemonSet);
  const template = body.spec?.template.spec;
  if (template != null) template.affinity = offCiliumNodes(affinityOf(daemonSet)) as NonNullable<typeof template.affinity>;
  await unlessThere(() => apps.createNamespacedDaemonSet({ ...own, body }));
}

async function unlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    // AlreadyExists.
    if (!isConflict(error)) throw error;
  }
}

function nothingSaved(): CiliateError {
  return new CiliateError(
    'NeedsHuman',
    {
      object: `ConfigMap ${KUBE_SYSTEM}/ciliate-cni`,
      expected: 'aws-node as it was before the migration',
      seen: 'nothing',
      todo: `Create aws-node by hand, with ${CILIUM_LABEL} NotIn [cilium] in every required nodeSelectorTerm of its affinity from the first moment on; then retry.`,
    },
    { code: 'NoCniLedger' },
  );
}
