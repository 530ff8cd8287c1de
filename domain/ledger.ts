/**
 * The guards ledger: what was changed only for the time of the migration, and what stood there before. An entry is written
 * before its change, so a crash between the two leaves an entry whose change is not there: both readings are safe.
 *
 * Values are texts; null means absent (no annotation, no label).
 */
export const GUARD_KINDS = ['asg-process', 'asg-desired', 'asg-max', 'scale-in-protection', 'scale-down', 'cordon', 'lb-exclusion', 'singleton', 'disruption-budgets', 'probe-jobs'] as const;
export type GuardKind = (typeof GUARD_KINDS)[number];

/** `whole`: from take to give-back; `changing`: only while nodes are being changed; `node`: one node's refresh. */
export type LedgerSet = 'whole' | 'changing' | 'node';

export interface GuardEntry {
  kind: GuardKind;
  set: LedgerSet;
  /** For people: `Node ip-10-0-1-7`, `ASG workers: AZRebalance`. */
  object: string;
  /** What it is, for good: a Node's UID, a group's name and process. A new node of the same name is another object. */
  id: string;
  /** How to find it again: a Node's name. Never trusted without `id`. */
  name: string;
  prior: string | null;
  ours: string;
  /** ISO 8601. */
  at: string;
  /** Of a group whose AZRebalance is suspended: its instances in each zone, as they were then. */
  zones?: Record<string, number> | undefined;
}

/** The value of a guard right now, and who set it where that can be told (managedFields). */
export interface GuardNow {
  value: string | null;
  setBy: 'us' | 'others' | 'unknown';
  /** Why it cannot be given back now, for a guard that has rules of its own. */
  left?: string;
}

/** `set`: write this entry, then the value. `ours`: held already. `theirs`: it has that value without us; leave it alone. */
export type Taking = { act: 'set'; entry: GuardEntry } | { act: 'ours' } | { act: 'theirs' };

/**
 * What to do to hold a guard.
 *
 * @param entry what the ledger says of it
 * @param wanted the entry as it would be written now, with `prior` as it is now
 */
export function taking(now: GuardNow, entry: GuardEntry | undefined, wanted: GuardEntry): Taking {
  if (now.value === wanted.ours) return entry !== undefined && entry.ours === now.value && now.setBy !== 'others' ? { act: 'ours' } : { act: 'theirs' };
  // An entry without its change: a crash came between, or somebody put the prior value back. The prior value stays as it was
  // saved; a third value is somebody's newer wish and takes its place.
  const prior = entry !== undefined && entry.prior === now.value ? entry.prior : now.value;
  return { act: 'set', entry: { ...wanted, prior, ...(entry?.zones === undefined ? {} : { zones: entry.zones }) } };
}

/** `restore`: put `prior` back. `drop`: nothing to undo. `left`: somebody else changed it since; it is theirs now. */
export type GivingBack = { act: 'restore' } | { act: 'drop' } | { act: 'left'; why: string };

/** What to do to give a guard back. `now` undefined: the object is gone. */
export function givingBack(entry: GuardEntry, now: GuardNow | undefined): GivingBack {
  if (now === undefined) return { act: 'drop' };
  if (now.value === entry.prior) return { act: 'drop' };
  if (now.left !== undefined) return { act: 'left', why: now.left };
  if (now.value !== entry.ours) return { act: 'left', why: `${entry.object}: was set to ${shown(entry.ours)}, is ${shown(now.value)} now; somebody else changed it` };
  if (now.setBy === 'others') return { act: 'left', why: `${entry.object}: ${shown(entry.ours)} was set by somebody else` };
  return { act: 'restore' };
}

/** Key of an entry in the ledger: one a guard and object. */
export function entryKey(entry: Pick<GuardEntry, 'kind' | 'id'>): string {
  return `${entry.kind}/${entry.id}`;
}

/** Parts of the ledger for what is about single nodes. Never changed: an entry is looked for where it was put. */
const SHARDS = 32;

/** Which node an entry is about, by its UID; null: it is about the cluster or a group of nodes. */
export function subjectOf({ kind, id }: Pick<GuardEntry, 'kind' | 'id'>): string | null {
  switch (kind) {
    case 'scale-down':
    case 'cordon':
    case 'lb-exclusion':
      return id;
    case 'singleton':
    case 'probe-jobs':
      return id.split('/')[0] ?? id;
    case 'asg-process':
    case 'asg-desired':
    case 'asg-max':
    case 'scale-in-protection':
    case 'disruption-budgets':
      return null;
  }
}

/** The part in which a node or instance stands, `00` to `31`: FNV-1a, so that parts grow evenly. */
export function shardOf(subject: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < subject.length; at++) hash = Math.imul(hash ^ subject.charCodeAt(at), 0x01000193) >>> 0;
  return String(((hash ^ (hash >>> 16)) >>> 0) % SHARDS).padStart(2, '0');
}

export type Entries = Readonly<Record<string, GuardEntry>>;

/** The ledger with an entry put in. */
export function withEntry(entries: Entries, entry: GuardEntry): Entries {
  return { ...entries, [entryKey(entry)]: entry };
}

/** The ledger without an entry: only while it still is that very entry. */
export function withoutEntry(entries: Entries, entry: GuardEntry): Entries {
  const key = entryKey(entry);
  if (entries[key]?.at !== entry.at) return entries;
  return Object.fromEntries(Object.entries(entries).filter(([candidate]) => candidate !== key));
}

/** Entries that a give-back of `set` undoes: `whole` is the end, so it undoes everything. */
export function entriesOf(entries: Entries, set: LedgerSet): GuardEntry[] {
  return Object.values(entries).filter((entry) => set === 'whole' || entry.set === set);
}

function shown(value: string | null): string {
  return value === null ? 'absent' : JSON.stringify(value);
}
