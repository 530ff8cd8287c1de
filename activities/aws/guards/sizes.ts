import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { entryKey, withEntry, withoutEntry } from '../../../domain/ledger.js';
import type { Entries, GuardEntry, GuardKind, GuardNow } from '../../../domain/ledger.js';
import { restore } from '../../../domain/pool/surge.js';
import type { GroupSize } from '../../../domain/pool/surge.js';
import type { Clients } from '../../clients/index.js';
import type { Guard } from '../../kubernetes/guard.js';
import { setSizes } from '../capacity.js';
import { aliveIn, describeGroup, describeGroups } from '../groups.js';

type Size = 'desired' | 'max';
const KINDS: Record<Size, GuardKind> = { desired: 'asg-desired', max: 'asg-max' };

/**
 * DesiredCapacity that was raised for extra nodes. Terminations with decrement bring it down again, so at the end there is
 * nothing to give back; what is still above is lowered only where no instance would go undrained.
 */
export const desiredGuard: Guard = sizeGuard('desired');
/** MaxSize that was in the way of it. */
export const maxGuard: Guard = sizeGuard('max');

/** The entries once a group was raised by so much; MaxSize has one only where it was in the way. */
export function withRaise(entries: Entries, group: AutoScalingGroup, more: GroupSize): Entries {
  const desired = withEntry(entries, sizeEntry(group, 'desired', { more: more.desired, before: entries }));
  return more.max > 0 ? withEntry(desired, sizeEntry(group, 'max', { more: more.max, before: entries })) : desired;
}

/**
 * The entries without a raise that was written and then not made: what it added is not ours. Only that: terminations may have
 * changed the rest of it meanwhile.
 *
 * @param undo `before`: the entries without it
 */
export function withoutRaise(entries: Entries, group: AutoScalingGroup, { more, before }: { more: GroupSize; before: Entries }): Entries {
  const sizes: readonly Size[] = more.max > 0 ? ['desired', 'max'] : ['desired'];
  return sizes.reduce((now, size) => {
    const key = entryKey({ kind: KINDS[size], id: group.AutoScalingGroupName ?? '' });
    const [written, old] = [now[key], before[key]];
    if (written === undefined) return now;
    if (old === undefined) return withoutEntry(now, written);
    const added = Number(sizeEntry(group, size, { more: more[size], before }).ours) - Number(old.ours);
    return withEntry(now, { ...written, prior: old.prior, ours: String(Number(written.ours) - added) });
  }, entries);
}

/** The entry that adding to a size would write. What stood there before the first time stays what is given back. */
export function sizeEntry(group: AutoScalingGroup, size: Size, add: { more: number; before: Entries }): GuardEntry {
  const name = group.AutoScalingGroupName ?? '';
  const kind = KINDS[size];
  const now = String(valueOf(group, size));
  const { prior, ours } = add.before[entryKey({ kind, id: name })] ?? { prior: now, ours: now };
  // Of DesiredCapacity only our own part is ours, whatever an autoscaler added; what is below it may not have come about yet, or
  // is read too early, and counts once. MaxSize is one value.
  const wanted = Number(now) + add.more;
  const value = size === 'max' ? wanted : Number(now) < Number(ours) ? Math.max(Number(ours), wanted) : Number(ours) + add.more;
  const object = `ASG ${name}: ${size === 'desired' ? 'DesiredCapacity' : 'MaxSize'}`;
  return { kind, set: 'whole', object, id: name, name, prior, ours: String(value), at: new Date().toISOString() };
}

/** DesiredCapacity of before, and what is left of what we added; undefined where nothing was. */
export function raised(entries: Entries, group: string): { prior: number; added: number } | undefined {
  const entry = entries[entryKey({ kind: 'asg-desired', id: group })];
  return entry === undefined ? undefined : { prior: Number(entry.prior), added: Number(entry.ours) - Number(entry.prior) };
}

function sizeGuard(size: Size): Guard {
  return {
    kind: KINDS[size],
    async read(clients: Clients, entries) {
      const groups = await describeGroups(clients, entries.map((entry) => entry.name));
      const byName = new Map(groups.map((group) => [group.AutoScalingGroupName, group]));
      return new Map(
        entries.flatMap((entry) => {
          const group = byName.get(entry.name);
          return group === undefined ? [] : [[entryKey(entry), nowOf(group, size, entry)] as const];
        }),
      );
    },
    async write(clients, entry, to) {
      const value = Number(to ?? entry.prior);
      await setSizes(clients, await describeGroup(clients, entry.name), size === 'desired' ? { desired: value } : { max: value });
    },
  };
}

function nowOf(group: AutoScalingGroup, size: Size, entry: GuardEntry): GuardNow {
  const now = { desired: valueOf(group, 'desired'), max: valueOf(group, 'max'), instances: aliveIn(group).length };
  const back = restore({ kind: size, prior: Number(entry.prior), ours: Number(entry.ours) }, now);
  if (back.set !== null) return { value: entry.ours, setBy: 'us' };
  return { value: String(now[size]), setBy: 'unknown', left: `${entry.object}: ${back.why}` };
}

function valueOf(group: AutoScalingGroup, size: Size): number {
  return (size === 'desired' ? group.DesiredCapacity : group.MaxSize) ?? 0;
}
