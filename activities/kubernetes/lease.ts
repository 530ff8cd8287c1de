import { V1MicroTime } from '@kubernetes/client-node';
import type { V1Lease } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { FIELD_MANAGER, KUBE_SYSTEM, LEASE_NAME, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import type { Target } from '../api.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { TemporalGateway } from '../clients/temporal.js';

const OBJECT = `Lease ${KUBE_SYSTEM}/${LEASE_NAME}`;
/** For readers only (`kubectl get lease`): expiry never hands the Lease over. */
const DURATION_SECONDS = 3_600;
const ROUNDS = 5;

/** `<Temporal cluster id>/<namespace>/<workflow id>`; a workflow id holds slashes. */
export interface Holder {
  temporal: string;
  namespace: string;
  workflowId: string;
}

export function parseHolder(text: string): Holder | undefined {
  const [temporal, namespace, ...rest] = text.split('/');
  if (!temporal || !namespace || rest.length === 0) return undefined;
  return { temporal, namespace, workflowId: rest.join('/') };
}

export async function readLease(clients: Clients): Promise<V1Lease | undefined> {
  return orUndefined(clients.kube.coordination.readNamespacedLease({ namespace: KUBE_SYSTEM, name: LEASE_NAME }));
}

/**
 * Every activity that writes asks this first: a run that lost the cluster must not write to it any more.
 *
 * @throws CiliateError Permanent `LeaseLost`
 */
export async function assertHolder(clients: Clients, target: Target): Promise<void> {
  const lease = await readLease(clients);
  const holder = lease?.spec?.holderIdentity;
  if (holder !== target.holder) throw lost(target, holder);
}

/** Creates, renews or takes the Lease over (docs/adr/0004). */
export async function takeLease(clients: Clients, target: Target, temporal: TemporalGateway): Promise<{ tookOverFrom: string | null }> {
  for (let round = 0; round < ROUNDS; round++) {
    const lease = await readLease(clients);
    const held = lease?.spec?.holderIdentity || null;
    const tookOverFrom = held === null || held === target.holder ? null : held;
    if (tookOverFrom !== null) await assertFree(tookOverFrom, target, temporal);
    if (await write(clients, lease, target)) return { tookOverFrom };
  }
  throw new CiliateError('Transient', { object: OBJECT, expected: 'to write it', seen: `${ROUNDS} conflicts in a row`, todo: 'It is tried again.' }, { code: 'Conflict' });
}

/** @throws CiliateError Permanent `LeaseLost` where it is not ours any more */
export async function renewLease(clients: Clients, target: Target): Promise<void> {
  const lease = await readLease(clients);
  if (lease?.spec?.holderIdentity !== target.holder) throw lost(target, lease?.spec?.holderIdentity);
  // On a conflict somebody wrote meanwhile: the retry reads who it was.
  if (!(await write(clients, lease, target))) throw new CiliateError('Transient', { object: OBJECT, expected: 'to renew it', seen: 'a conflict', todo: 'It is tried again.' }, { code: 'Conflict' });
}

/** Deletes the Lease where `holder` holds it; another's is left alone. */
export async function deleteLease(clients: Clients, holder: string): Promise<boolean> {
  const lease = await readLease(clients);
  if (lease?.spec?.holderIdentity !== holder) return false;
  const { uid, resourceVersion } = lease.metadata ?? {};
  try {
    await clients.kube.coordination.deleteNamespacedLease({ namespace: KUBE_SYSTEM, name: LEASE_NAME, body: { preconditions: { uid, resourceVersion } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return true;
}

/** @throws CiliateError Permanent `LeaseHeld` unless the holder is a run of this very Temporal namespace that has ended */
async function assertFree(held: string, target: Target, temporal: TemporalGateway): Promise<void> {
  const holder = parseHolder(held);
  const here = holder !== undefined && holder.temporal === (await temporal.temporalClusterId()) && holder.namespace === temporal.namespace;
  if (!here || holder === undefined) {
    throw heldBy(held, `"${held}", which this Temporal cannot ask after`, `If that one is surely dead: ciliate release ${target.migration} --holder ${held}`);
  }
  const state = await temporal.describe(holder.workflowId);
  switch (state) {
    case 'closed':
    case 'unknown':
      return;
    case 'open':
      throw heldBy(held, `the running workflow ${holder.workflowId}`, `Wait for it, or end it: ciliate abort ${holder.workflowId.replace(/^cilium-migration\//, '')} --reason TEXT`);
  }
}

function heldBy(held: string, seen: string, todo: string): CiliateError {
  return new CiliateError('Permanent', { object: OBJECT, expected: 'nobody else to hold this cluster', seen, todo }, { code: 'LeaseHeld', details: { holder: held } });
}

function lost(target: Target, holder: string | undefined): CiliateError {
  return new CiliateError(
    'Permanent',
    {
      object: OBJECT,
      expected: `holder ${target.holder}`,
      seen: holder === undefined || holder === '' ? 'no holder' : `holder ${holder}`,
      todo: 'This run writes nothing any more. Start the migration again to take the cluster back.',
    },
    { code: 'LeaseLost', details: { holder } },
  );
}

/** False on a conflict. resourceVersion makes a take-over safe against a second one. */
async function write(clients: Clients, lease: V1Lease | undefined, target: Target): Promise<boolean> {
  const { coordination } = clients.kube;
  const now = new V1MicroTime();
  const renewed = lease?.spec?.holderIdentity === target.holder;
  const spec = {
    holderIdentity: target.holder,
    leaseDurationSeconds: DURATION_SECONDS,
    acquireTime: renewed ? lease.spec?.acquireTime : now,
    renewTime: now,
    leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease !== undefined && !renewed ? 1 : 0),
  };
  try {
    if (lease === undefined) {
      const metadata = { name: LEASE_NAME, namespace: KUBE_SYSTEM, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } };
      await coordination.createNamespacedLease({ namespace: KUBE_SYSTEM, body: { metadata, spec }, fieldManager: FIELD_MANAGER });
    } else {
      await coordination.replaceNamespacedLease({ namespace: KUBE_SYSTEM, name: LEASE_NAME, body: { ...lease, spec }, fieldManager: FIELD_MANAGER });
    }
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}
