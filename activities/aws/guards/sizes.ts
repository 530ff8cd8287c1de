import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../../domain/failures.js';
import { entryKey, withEntry, withoutEntry } from '../../../domain/ledger.js';
import type { Entries, GuardEntry, GuardKind, GuardNow } from '../../../domain/ledger.js';
import { rebased, restore } from '../../../domain/pool/surge.js';
import type { GroupSize, Surge } from '../../../domain/pool/surge.js';
import type { Clients } from '../../clients/index.js';
import type { Guard } from '../../kubernetes/guard.js';
import { lowerDesired, setSizes } from '../capacity.js';
import { aliveIn, describeGroup, describeGroups } from '../groups.js';
import { withLaunchesStopped } from '../stopLaunches.js';

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
  return sizesIn(more).reduce((now, size) => withEntry(now, sizeEntry(group, size, { more: more[size], before: entries })), entries);
}

/**
 * The entries without a raise that was written and then not made: what it added is not ours. Only that: terminations may have
 * changed the rest of it meanwhile.
 *
 * @param undo `before`: the entries without it
 */
export function withoutRaise(entries: Entries, group: AutoScalingGroup, { more, before }: { more: GroupSize; before: Entries }): Entries {
  return sizesIn(more).reduce((now, size) => {
    const key = entryKey({ kind: KINDS[size], id: group.AutoScalingGroupName ?? '' });
    const [written, old] = [now[key], before[key]];
    if (written === undefined) return now;
    if (old === undefined) return withoutEntry(now, written);
    const added = Number(sizeEntry(group, size, { more: more[size], before }).ours) - Number(old.ours);
    return withEntry(now, { ...written, prior: old.prior, ours: String(Number(written.ours) - added) });
  }, entries);
}

/**
 * The entry that adding to a size would write. What stood there before the first time stays what is given back, unless it is lower now:
 * then that is what somebody else wants.
 */
export function sizeEntry(group: AutoScalingGroup, size: Size, add: { more: number; before: Entries }): GuardEntry {
  const name = group.AutoScalingGroupName ?? '';
  const kind = KINDS[size];
  const now = String(valueOf(group, size));
  const entry = add.before[entryKey({ kind, id: name })];
  const { prior, ours } = entry === undefined || Number(now) < Number(entry.prior) ? { prior: now, ours: now } : entry;
  // Of DesiredCapacity only our own part is ours, whatever an autoscaler added; what is below it may not have come about yet, or
  // is read too early, and counts once. MaxSize is one value.
  const wanted = Number(now) + add.more;
  const value = size === 'max' ? wanted : Number(now) < Number(ours) ? Math.max(Number(ours), wanted) : Number(ours) + add.more;
  const object = `ASG ${name}: ${size === 'desired' ? 'DesiredCapacity' : 'MaxSize'}`;
  return { kind, set: 'whole', object, id: name, name, prior, ours: String(value), at: new Date().toISOString() };
}

/** Sizes that somebody else lowered below what they were before we raised them, for people; looked at where they are raised again. */
export function loweredSizes(group: AutoScalingGroup, { more, before }: { more: GroupSize; before: Entries }): string[] {
  return sizesIn(more).flatMap((size) => {
    const entry = before[entryKey({ kind: KINDS[size], id: group.AutoScalingGroupName ?? '' })];
    const now = valueOf(group, size);
    return entry === undefined || now >= Number(entry.prior) ? [] : [`${entry.object} was lowered from ${entry.prior} to ${now} by somebody else: that is what it ends with`];
  });
}

/** DesiredCapacity of before, and what is left of what we added, as the ledger says; undefined where nothing was. */
export function raised(entries: Entries, group: string): Surge | undefined {
  const entry = entries[entryKey({ kind: 'asg-desired', id: group })];
  return entry === undefined ? undefined : { prior: Number(entry.prior), added: Number(entry.ours) - Number(entry.prior) };
}

/** The same, as far as it holds for the group as it is now. */
export function raisedNow(entries: Entries, group: AutoScalingGroup): Surge | undefined {
  const surge = raised(entries, group.AutoScalingGroupName ?? '');
  return surge && rebased(surge, valueOf(group, 'desired'));
}

/** Names of the groups that we made bigger. */
export function raisedGroups(entries: Entries): string[] {
  return Object.values(entries).flatMap(({ kind, id }) => (kind === KINDS.desired ? [id] : []));
}

/** Which sizes a raise changes: MaxSize only where it is in the way. */
function sizesIn(more: GroupSize): readonly Size[] {
  return more.max > 0 ? ['desired', 'max'] : ['desired'];
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
      if (size === 'desired') return withLaunchesStopped(clients, entry.name, (group) => lowerDesired(clients, stillOurs(group, size, entry), value));
      await setSizes(clients, stillOurs(await describeGroup(clients, entry.name), size, entry), { max: value });
    },
  };
}

/** The group, as it is at the moment of the write: a number that is right no more would make Auto Scaling end nodes undrained. */
function stillOurs(group: AutoScalingGroup, size: Size, entry: GuardEntry): AutoScalingGroup {
  const { left } = nowOf(group, size, entry);
  if (left === undefined) return group;
  throw new CiliateError('Transient', { object: entry.object, expected: `to set it back to ${entry.prior}`, seen: left, todo: 'It changed in this very moment; it is read and tried again.' }, { code: 'Conflict' });
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
