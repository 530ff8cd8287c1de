import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Entries } from '../../domain/ledger.js';
import { sizePlan, surgeShares } from '../../domain/pool/surge.js';
import type { GroupSize } from '../../domain/pool/surge.js';
import type { Clients } from '../clients/index.js';
import { hold } from '../kubernetes/guard.js';
import { putGuards } from '../kubernetes/guardsLedger.js';
import { setSizes } from './capacity.js';
import { protectionOf, scaleInProtectionGuard } from './guards/scaleInProtection.js';
import { raised, sizeEntry } from './guards/sizes.js';

export interface WantedExtra {
  extra: number;
  groups: readonly { name: string; oldNodes: number }[];
}

export interface SeenSizes {
  groups: readonly AutoScalingGroup[];
  ledger: Entries;
}

interface Raise {
  group: AutoScalingGroup;
  to: GroupSize;
  more: GroupSize;
}

/** What raiseCapacity would change. */
export function raisesOf(wanted: WantedExtra, { groups, ledger }: SeenSizes): Raise[] {
  const shares = surgeShares(wanted.groups, wanted.extra);
  return groups.flatMap((group): Raise[] => {
    const name = group.AutoScalingGroupName ?? '';
    const size = { desired: group.DesiredCapacity ?? 0, max: group.MaxSize ?? 0 };
    const prior = raised(ledger, name)?.prior ?? size.desired;
    const more = sizePlan(size, shares[name] ?? 0, { added: Math.max(0, size.desired - prior) });
    return more.desired === 0 ? [] : [{ group, to: { desired: size.desired + more.desired, max: size.max + more.max }, more }];
  });
}

/**
 * Extra nodes for a surge: DesiredCapacity of each group up by its share, MaxSize too where it is in the way; ledger first. What is
 * launched meanwhile is protected from scale-in. What a group is above its size of before counts as there already, so running it again adds nothing; nothing is ever lowered:
 * groups shrink by terminations with decrement.
 *
 * @param wanted how many extra nodes for the cluster, the groups that have nodes to refresh, and how many of them are not in flight
 * @param seen what was read just before
 */
export async function raiseCapacity(clients: Clients, wanted: WantedExtra, seen: SeenSizes): Promise<void> {
  const { ledger } = seen;
  for (const { group, to, more } of raisesOf(wanted, seen)) {
    await hold(clients, [{ guard: scaleInProtectionGuard, ...protectionOf(group) }]);
    const desired = sizeEntry(group, 'desired', { more: more.desired, before: ledger });
    await putGuards(clients, more.max > 0 ? [desired, sizeEntry(group, 'max', { more: more.max, before: ledger })] : [desired]);
    await setSizes(clients, group, { desired: to.desired, ...(more.max > 0 ? { max: to.max } : {}) });
  }
}
