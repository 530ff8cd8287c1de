import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../domain/failures.js';
import type { Entries } from '../../domain/ledger.js';
import { sizePlan, surgeShares } from '../../domain/pool/surge.js';
import type { GroupSize } from '../../domain/pool/surge.js';
import type { Clients } from '../clients/index.js';
import { hold } from '../kubernetes/guard.js';
import { changeClusterGuards } from '../kubernetes/guardsLedger.js';
import { setSizes } from './capacity.js';
import { describeGroup } from './groups.js';
import { protectionOf, scaleInProtectionGuard } from './guards/scaleInProtection.js';
import { loweredSizes, raisedNow, withRaise, withoutRaise } from './guards/sizes.js';

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
    const prior = raisedNow(ledger, group)?.prior ?? size.desired;
    const more = sizePlan(size, shares[name] ?? 0, { added: Math.max(0, size.desired - prior) });
    return more.desired === 0 ? [] : [{ group, to: { desired: size.desired + more.desired, max: size.max + more.max }, more }];
  });
}

/**
 * Extra nodes for a surge: DesiredCapacity of each group up by its share, MaxSize too where it is in the way; ledger first. What is
 * launched meanwhile is protected from scale-in. What a group is above its size of before counts as there already, so running it again adds nothing; nothing is ever lowered:
 * groups shrink by terminations with decrement. A group is looked at again just before: a number that was reckoned from another
 * one would undo what somebody else has just set.
 *
 * @param wanted how many extra nodes for the cluster, the groups that have nodes to refresh, and how many of them are not in flight
 * @param seen what was read just before
 * @returns what somebody else lowered meanwhile, for people
 * @throws CiliateError Transient `SizesMoved` where somebody else changed a group since: it is decided anew, nothing was set
 */
export async function raiseCapacity(clients: Clients, wanted: WantedExtra, seen: SeenSizes): Promise<string[]> {
  const notes: string[] = [];
  for (const { group, to, more } of raisesOf(wanted, seen)) {
    await hold(clients, [{ guard: scaleInProtectionGuard, ...protectionOf(group) }]);
    let before: Entries = {};
    await changeClusterGuards(clients, (entries) => withRaise((before = entries), group, more));
    const moved = movedSince(group, await describeGroup(clients, group.AutoScalingGroupName ?? ''));
    if (moved !== null) {
      await changeClusterGuards(clients, (entries) => withoutRaise(entries, group, { more, before }));
      throw moved;
    }
    await setSizes(clients, group, { desired: to.desired, ...(more.max > 0 ? { max: to.max } : {}) });
    notes.push(...loweredSizes(group, { more, before }));
  }
  return notes;
}

function movedSince(group: AutoScalingGroup, now: AutoScalingGroup): CiliateError | null {
  if (now.DesiredCapacity === group.DesiredCapacity && now.MaxSize === group.MaxSize) return null;
  const shown = ({ DesiredCapacity, MaxSize }: AutoScalingGroup): string => `DesiredCapacity ${DesiredCapacity}, MaxSize ${MaxSize}`;
  return new CiliateError(
    'Transient',
    { object: `ASG ${group.AutoScalingGroupName}`, expected: `${shown(group)}, from which its extra nodes were reckoned`, seen: shown(now), todo: 'Somebody else changes it too; it is reckoned anew.' },
    { code: 'SizesMoved' },
  );
}
