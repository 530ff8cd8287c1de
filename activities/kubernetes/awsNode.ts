import type { V1Container, V1DaemonSet, V1DaemonSetUpdateStrategy } from '@kubernetes/client-node';
import { confinedToAwsNodes, ON_AWS_NODES } from '../../domain/cilium/placement.js';
import { CiliateError } from '../../domain/failures.js';
import { hasInEveryTerm } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { AWS_NODE, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Look } from '../api.js';
import { addonRestricted, readAddon, restrictedAffinity, updateAddonAffinity, updateFailure } from '../aws/addon.js';
import type { VpcCniAddon } from '../aws/addon.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { readCniLedger } from './cniLedger.js';
import { systemDaemonSet } from './lists.js';
import { managersOf } from './managedFields.js';
import { patchDaemonSet } from './patch.js';
import type { PatchOp } from './patch.js';

const OBJECT = `DaemonSet ${KUBE_SYSTEM}/${AWS_NODE}`;
const AFFINITY_PATH = '/spec/template/spec/affinity';
const STRATEGY_PATH = '/spec/updateStrategy';
const ON_DELETE: V1DaemonSetUpdateStrategy = { type: 'OnDelete' };

/**
 * Confines aws-node to the labelled nodes. Where EKS owns it, through the add-on, so that the next update of the add-on does not
 * take it back; else by a JSON patch that holds only while the affinity is what was read, and that also stops rolling updates: where
 * aws-node belongs changes at once, and no pod of it is restarted for that on nodes that go anyway (docs/adr/0015).
 */
export async function restrictAwsNode(clients: Clients): Promise<{ how: 'patched' | 'addon' | 'already'; updateId?: string }> {
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  const owner = await readAddon(clients);
  // Gone already: a run that is taken up after the removal.
  if (daemonSet === undefined && (owner === undefined || owner.addon.status === 'DELETING')) return { how: 'already' };
  if (owner !== undefined) {
    if (addonRestricted(owner.addon)) return { how: 'already' };
    // Also one that a rollback has just created: it brings aws-node.
    assertSettled(owner);
    return { how: 'addon', updateId: await updateAddonAffinity(clients, owner, restrictedAffinity(owner.addon, daemonSet && affinityOf(daemonSet))) };
  }
  if (daemonSet === undefined) return { how: 'already' };
  if (isRestricted(daemonSet)) return { how: 'already' };
  await setPlacement(clients, daemonSet, { affinity: confinedToAwsNodes(affinityOf(daemonSet)), updateStrategy: ON_DELETE });
  return { how: 'patched' };
}

/** Done when the add-on is settled, every live term confines, the environment is what it was and the rollout is over. */
export async function lookAwsNodeRestricted(clients: Clients, known: string, updateId?: string): Promise<Look> {
  const owner = await readAddon(clients);
  if (owner !== undefined && updateId !== undefined) await assertUpdate(clients, owner, updateId);
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  if (daemonSet === undefined) return look({ known, done: true, blockers: [], seenOf: 'gone', extra: {} });
  const settled = owner === undefined || owner.addon.status === 'ACTIVE';
  // PRESERVE keeps an affinity that somebody had set by hand: what the add-on cannot reach is patched like anyone's.
  if (settled && !isRestricted(daemonSet)) await setPlacement(clients, daemonSet, { affinity: confinedToAwsNodes(affinityOf(daemonSet)) });
  else await assertEnvironment(clients, daemonSet);
  const blockers = [...addonBlockers(owner), ...(settled ? affinityBlockers(daemonSet) : []), ...rolloutBlockers(daemonSet, OBJECT)];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map((blocker) => blocker.object), extra: {} });
}

export function affinityOf(daemonSet: V1DaemonSet): Affinity | undefined {
  return daemonSet.spec?.template.spec?.affinity as Affinity | undefined;
}

export function isRestricted(daemonSet: V1DaemonSet): boolean {
  return hasInEveryTerm(affinityOf(daemonSet), ON_AWS_NODES);
}

/** What of aws-node is ours to change. */
interface Placement {
  /** Undefined removes it. */
  affinity: Affinity | undefined;
  /** Absent: as it is. */
  updateStrategy?: V1DaemonSetUpdateStrategy | undefined;
}

/** In one patch, which holds only while affinity and strategy are what `daemonSet` says. */
export async function setPlacement(clients: Clients, daemonSet: V1DaemonSet, { affinity, updateStrategy }: Placement): Promise<void> {
  const before = affinityOf(daemonSet);
  const test: PatchOp[] = [{ op: 'test', path: '/metadata/uid', value: daemonSet.metadata?.uid }];
  if (before !== undefined) test.push({ op: 'test', path: AFFINITY_PATH, value: before });
  // Nothing there to test: the resource version stands in for it.
  else test.push({ op: 'test', path: '/metadata/resourceVersion', value: daemonSet.metadata?.resourceVersion });
  const change: PatchOp[] = affinity === undefined ? (before === undefined ? [] : [{ op: 'remove', path: AFFINITY_PATH }]) : [{ op: 'add', path: AFFINITY_PATH, value: affinity }];
  const strategy = daemonSet.spec?.updateStrategy;
  if (updateStrategy !== undefined && updateStrategy.type !== strategy?.type) {
    if (strategy !== undefined) test.push({ op: 'test', path: STRATEGY_PATH, value: strategy });
    change.push({ op: 'add', path: STRATEGY_PATH, value: updateStrategy });
  }
  if (change.length > 0) await patchDaemonSet(clients, { namespace: KUBE_SYSTEM, name: daemonSet.metadata?.name ?? '' }, [...test, ...change]);
}

/** What keeps a DaemonSet's rollout from being over (`kubectl rollout status`). Under OnDelete nothing rolls: pods may be of an older revision. */
export function rolloutBlockers(daemonSet: V1DaemonSet, object: string): Blocker[] {
  const { status } = daemonSet;
  const desired = status?.desiredNumberScheduled ?? 0;
  const name = daemonSet.metadata?.name;
  const todo = `kubectl -n ${KUBE_SYSTEM} rollout status ds/${name}`;
  if ((status?.observedGeneration ?? 0) < (daemonSet.metadata?.generation ?? 0)) return [{ object, reason: 'its newest state is not observed yet', todo }];
  const rolls = daemonSet.spec?.updateStrategy?.type !== 'OnDelete';
  if (rolls && (status?.updatedNumberScheduled ?? 0) < desired) return [{ object, reason: `${status?.updatedNumberScheduled ?? 0} of ${desired} pods are up to date`, todo }];
  if ((status?.numberAvailable ?? 0) < desired) return [{ object, reason: `${status?.numberAvailable ?? 0} of ${desired} pods are available`, todo }];
  if ((status?.numberMisscheduled ?? 0) > 0) return [{ object, reason: `${status?.numberMisscheduled} pods run on nodes that should not have one`, todo }];
  return [];
}

function affinityBlockers(daemonSet: V1DaemonSet): Blocker[] {
  if (isRestricted(daemonSet)) return [];
  const managers = managersOf(daemonSet.metadata?.managedFields, ['spec', 'template', 'spec', 'affinity']);
  return [{ object: OBJECT, reason: `not every nodeSelectorTerm holds cni-plugin In [aws] (affinity set by ${managers.join(', ') || 'nobody'})`, todo: 'Stop what sets it (GitOps, Terraform).' }];
}

export function addonBlockers(owner: VpcCniAddon | undefined): Blocker[] {
  if (owner === undefined || owner.addon.status === 'ACTIVE') return [];
  const issues = (owner.addon.health?.issues ?? []).map((issue) => `${issue.code}: ${issue.message}`).join('; ');
  return [{ object: `EKS add-on ${owner.addon.addonName}`, reason: `is ${owner.addon.status}${issues === '' ? '' : ` (${issues})`}`, todo: `aws eks describe-addon --cluster-name ${owner.cluster} --addon-name ${owner.addon.addonName}` }];
}

export function assertSettled({ addon }: VpcCniAddon): void {
  if (addon.status !== 'CREATING' && addon.status !== 'UPDATING' && addon.status !== 'DELETING') return;
  throw new CiliateError('NotYet', `EKS add-on ${addon.addonName}: is ${addon.status}. It is awaited.`, { code: 'NotYet' });
}

export async function assertUpdate(clients: Clients, owner: VpcCniAddon, updateId: string): Promise<void> {
  const failure = await updateFailure(clients, owner.cluster, updateId);
  if (failure === undefined) return;
  throw new CiliateError(
    'NeedsHuman',
    { object: `EKS add-on ${owner.addon.addonName}, update ${updateId}`, expected: 'the affinity to be merged into its configuration', seen: failure, todo: 'Mend what EKS names, then retry.' },
    { code: 'AddonUpdateFailed' },
  );
}

/** UpdateAddon may put back defaults. aws-node's environment decides how pods reach the world, so it must be what it was. */
async function assertEnvironment(clients: Clients, daemonSet: V1DaemonSet): Promise<void> {
  const saved = (await readCniLedger(clients)).daemonSet;
  if (saved === undefined) return;
  const changes = environmentChanges(environment(saved), environment(daemonSet));
  if (changes.length === 0) return;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `${OBJECT}, environment`,
      expected: 'what it was before the affinity was changed',
      seen: changes.join(', '),
      todo: `Set it back (kubectl -n ${KUBE_SYSTEM} set env ds/${AWS_NODE} NAME=VALUE), or accept it by deleting key daemonset.json of ConfigMap ciliate-cni; then retry.`,
    },
    { code: 'EnvironmentChanged' },
  );
}

/** `container/NAME` to value, of all containers. */
export function environment(daemonSet: V1DaemonSet): Map<string, string> {
  const spec = daemonSet.spec?.template.spec;
  const of = (container: V1Container): [string, string][] =>
    (container.env ?? []).map((env) => [`${container.name}/${env.name}`, env.value ?? JSON.stringify(env.valueFrom ?? '')]);
  return new Map([...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(of));
}

export function environmentChanges(before: Map<string, string>, after: Map<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => (before.get(name) === after.get(name) ? [] : [`${name}: ${before.get(name) ?? 'absent'} → ${after.get(name) ?? 'absent'}`]));
}
