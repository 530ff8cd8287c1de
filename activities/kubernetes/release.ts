import { CiliateError } from '../../domain/failures.js';
import { KUBE_SYSTEM, LEASE_NAME } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import type { TemporalGateway } from '../clients/temporal.js';
import type { GivenBack } from './guard.js';
import { giveBackGuards } from './guards.js';
import { deleteLease, parseHolder, readLease } from './lease.js';

export interface ReleaseOptions {
  /** The holder as the operator typed it: released whoever it is, as long as it is the one that holds it. */
  holder?: string;
  /** Asked whether the holder's run has ended; absent where no Temporal can be reached. */
  temporal?: TemporalGateway;
}

export interface Released extends GivenBack {
  /** Who held the Lease; null where nobody did. */
  holder: string | null;
}

/**
 * What `ciliate release` does: gives back every guard of the ledger and deletes the Lease. Without a named holder only where
 * the run that holds it has ended; a named holder must be the very one that holds it. The CNI ledger stays.
 *
 * @throws CiliateError Permanent `LeaseHeld`
 */
export async function forceRelease(clients: Clients, options: ReleaseOptions = {}): Promise<Released> {
  const held = (await readLease(clients))?.spec?.holderIdentity || null;
  if (held !== null) await assertMay(held, options);
  // Guards first: while the Lease stands, nobody else begins.
  const back = await giveBackGuards(clients, 'whole');
  if (held !== null) await deleteLease(clients, held);
  return { holder: held, ...back };
}

async function assertMay(held: string, { holder, temporal }: ReleaseOptions): Promise<void> {
  if (holder !== undefined) {
    if (holder === held) return;
    throw refuse(`holder ${holder}, as asked`, `holder ${held}`, 'Name the one that holds it, if its run is surely dead.');
  }
  const known = parseHolder(held);
  const here = known !== undefined && temporal !== undefined && known.temporal === (await temporal.temporalClusterId()) && known.namespace === temporal.namespace;
  const state = here && known !== undefined ? await temporal.describe(known.workflowId) : undefined;
  if (state === 'closed' || state === 'unknown') return;
  if (state === 'open') throw refuse('a holder whose run has ended', `workflow ${known?.workflowId}, which runs`, 'Abort it first: ciliate abort CLUSTER --reason TEXT.');
  throw refuse('a holder of this Temporal and namespace', `"${held}"`, `If its run is surely dead: ciliate release … --holder ${held}`);
}

function refuse(expected: string, seen: string, todo: string): CiliateError {
  return new CiliateError('Permanent', { object: `Lease ${KUBE_SYSTEM}/${LEASE_NAME}`, expected, seen, todo }, { code: 'LeaseHeld' });
}
