import { entryKey, givingBack, taking } from '../../domain/ledger.js';
import type { GuardEntry, GuardKind, GuardNow, LedgerSet } from '../../domain/ledger.js';
import type { Clients } from '../clients/index.js';
import { each } from './each.js';
import { dropGuards, putGuards, readGuardsLike } from './guardsLedger.js';

/** One kind of thing that is changed for a while and given back. What may be done to it is decided by domain/ledger.ts. */
export interface Guard {
  kind: GuardKind;
  /** Values of these entries' objects by {@link entryKey}; an object that is gone (or another of that name) has none. */
  read(clients: Clients, entries: GuardEntry[]): Promise<Map<string, GuardNow>>;
  /** Sets the value, only on the very object of the entry and only while it is not somebody else's. */
  write(clients: Clients, entry: GuardEntry, to: string | null): Promise<void>;
  /** What our value left behind, where the object has its prior one again without us. */
  dropped?(clients: Clients, entry: GuardEntry): Promise<void>;
  /** What did not happen while the entry was held, one line each. */
  missed?(clients: Clients, entry: GuardEntry): Promise<string[]>;
}

/** An object with its value, and the entry that taking it would write. */
export interface Wanted {
  now: GuardNow;
  entry: GuardEntry;
}

/** A guard that is taken with its set; the others are wanted node by node, or by those who know by how much. */
export interface SetGuard extends Guard {
  /** What `set` asks for right now. */
  wanted(clients: Clients, set: LedgerSet): Promise<Wanted[]>;
}

export interface GivenBack {
  given: string[];
  /** No longer ours: named, and left as they are. */
  left: string[];
  missed: string[];
}

/** Takes what is wanted and not held yet: all entries first, the changes after. Returns what was changed, for people. */
export async function hold(clients: Clients, wanted: readonly (Wanted & { guard: Guard })[]): Promise<string[]> {
  if (wanted.length === 0) return [];
  const entries = await readGuardsLike(clients, wanted.map(({ entry }) => entry));
  const taken = wanted.flatMap(({ guard, now, entry }) => {
    const verdict = taking(now, entries[entryKey(entry)], entry);
    return verdict.act === 'set' ? [{ guard, entry: verdict.entry }] : [];
  });
  await putGuards(clients, taken.map(({ entry }) => entry));
  await each(taken, ({ guard, entry }) => guard.write(clients, entry, entry.ours));
  return taken.map(({ entry }) => entry.object);
}

/** Gives entries of one kind back and strikes them out: also those that somebody else changed, which are named. */
export async function giveBack(clients: Clients, guard: Guard, entries: GuardEntry[]): Promise<GivenBack> {
  const result: GivenBack = { given: [], left: [], missed: [] };
  if (entries.length === 0) return result;
  const now = await guard.read(clients, entries);
  await each(entries, async (entry) => {
    const found = now.get(entryKey(entry));
    const verdict = givingBack(entry, found);
    switch (verdict.act) {
      case 'restore':
        result.missed.push(...((await guard.missed?.(clients, entry)) ?? []));
        await guard.write(clients, entry, entry.prior);
        result.given.push(entry.object);
        return;
      case 'left':
        result.left.push(verdict.why);
        return;
      case 'drop':
        if (found !== undefined) await guard.dropped?.(clients, entry);
        return;
    }
  });
  await dropGuards(clients, entries);
  return result;
}

