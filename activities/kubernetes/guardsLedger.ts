import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GUARDS_LEDGER, GUARDS_LEDGER_LABEL, TERMINATION_PREFIX } from '../../domain/names.js';
import { entryKey, GUARD_KINDS, shardOf, subjectOf } from '../../domain/ledger.js';
import type { Entries, GuardEntry } from '../../domain/ledger.js';
import type { Clients } from '../clients/index.js';
import { changeData, listData, readData } from './configMap.js';
import type { Data, Named } from './configMap.js';

const entrySchema: z.ZodType<GuardEntry> = z.object({
  kind: z.enum(GUARD_KINDS),
  set: z.enum(['whole', 'changing', 'node']),
  object: z.string(),
  id: z.string(),
  name: z.string(),
  prior: z.string().nullable(),
  ours: z.string(),
  at: z.string(),
  zones: z.record(z.string(), z.number()).optional(),
});

/** The part of the ledger that is about the cluster and its groups. */
const HEAD: Named = { name: GUARDS_LEDGER };
/** Up to so many parts are read one by one; more are listed. */
const ONE_BY_ONE = 4;

/** The part that is about one node or instance: what grows with the nodes is spread over several ConfigMaps. */
export function partOf(subject: string): Named {
  return { name: `${GUARDS_LEDGER}-${shardOf(subject)}`, labels: { [GUARDS_LEDGER_LABEL]: 'nodes' } };
}

/** All entries of the guards ledger; none where there is no ledger. */
export async function readGuards(clients: Clients): Promise<Entries> {
  const [head, parts] = await Promise.all([readData(clients, GUARDS_LEDGER), readParts(clients)]);
  return Object.assign({}, ...[head ?? {}, ...parts.values()].map(guardsIn)) as Entries;
}

/** Data of the parts about nodes, by name of their ConfigMap. */
export function readParts(clients: Clients): Promise<Map<string, Data>> {
  return listData(clients, GUARDS_LEDGER_LABEL);
}

/** Entries about the cluster and its groups only: what they are does not depend on how many nodes there are. */
export async function readClusterGuards(clients: Clients): Promise<Entries> {
  return guardsIn((await readData(clients, GUARDS_LEDGER)) ?? {});
}

/** Entries about one node, by its UID. */
export async function readNodeGuards(clients: Clients, uid: string): Promise<GuardEntry[]> {
  const all = guardsIn((await readData(clients, partOf(uid).name)) ?? {});
  return Object.values(all).filter((entry) => subjectOf(entry) === uid);
}

/** When the ledger first says that this node was ours to empty; undefined where it does not. */
export async function touchedAt(clients: Clients, uid: string): Promise<Date | undefined> {
  const times = (await readNodeGuards(clients, uid)).filter((entry) => entry.set === 'node').map((entry) => Date.parse(entry.at));
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

/** What the ledger says of these, read from where it would stand. */
export async function readGuardsLike(clients: Clients, entries: readonly GuardEntry[]): Promise<Entries> {
  const names = [...new Set(entries.map((entry) => placeOf(entry).name))];
  if (names.length > ONE_BY_ONE) return readGuards(clients);
  const data = await Promise.all(names.map((name) => readData(clients, name)));
  return Object.assign({}, ...data.map((each) => guardsIn(each ?? {}))) as Entries;
}

/** Puts entries in. To be done before what they describe. */
export async function putGuards(clients: Clients, entries: GuardEntry[]): Promise<void> {
  await Promise.all(
    byPlace(entries).map(([place, own]) => changeData(clients, place, (data) => ({ ...data, ...Object.fromEntries(own.map((entry) => [dataKey(entry), JSON.stringify(entry)])) }))),
  );
}

/** Takes entries out, each only while it is still that very entry. A ConfigMap goes with its last one. */
export async function dropGuards(clients: Clients, entries: GuardEntry[]): Promise<void> {
  await Promise.all(
    byPlace(entries).map(([place, own]) => {
      const gone = new Map(own.map((entry) => [dataKey(entry), JSON.stringify(entry)]));
      return changeData(clients, place, (data) => kept(data, (key, text) => gone.get(key) !== text));
    }),
  );
}

/** The entries of the ledger's data that stay; null where none does. */
export function kept(data: Data, stays: (key: string, text: string) => boolean): Data | null {
  const left = Object.entries(data).filter(([key, text]) => stays(key, text));
  if (left.length === Object.keys(data).length) return data;
  return left.length === 0 ? null : Object.fromEntries(left);
}

/** The entries in the ledger's data. */
export function guardsIn(data: Data): Entries {
  return Object.fromEntries(
    Object.entries(data).filter(([key]) => !key.startsWith(TERMINATION_PREFIX)).map(([, text]) => {
      const entry = entrySchema.parse(JSON.parse(text));
      return [entryKey(entry), entry];
    }),
  );
}

/** The data with one entry changed; the same where there is none such. */
function withChanged(data: Data, which: Pick<GuardEntry, 'kind' | 'id'>, change: (entry: GuardEntry) => GuardEntry): Data {
  const key = dataKey(which);
  const text = data[key];
  return text === undefined ? data : { ...data, [key]: JSON.stringify(change(entrySchema.parse(JSON.parse(text)))) };
}

/** Changes entries about the cluster and its groups from what they are at the moment of the write: those who terminate change them too. */
export async function changeClusterGuards(clients: Clients, change: (entries: Entries) => Entries): Promise<void> {
  await changeData(clients, HEAD, (data) => {
    const before = guardsIn(data);
    const after = change(before);
    const gone = new Set(Object.values(before).filter((entry) => after[entryKey(entry)] === undefined).map(dataKey));
    const put = Object.values(after).filter((entry) => before[entryKey(entry)] !== entry);
    const left = kept(data, (key) => !gone.has(key));
    return put.length === 0 ? left : { ...left, ...Object.fromEntries(put.map((entry) => [dataKey(entry), JSON.stringify(entry)])) };
  });
}

/** Of a group's raised DesiredCapacity less is ours from now on. */
export async function lowerRaised(clients: Clients, group: string, by: number): Promise<void> {
  await changeData(clients, HEAD, (data) => withRaisedLess(data, group, by));
}

/** The ledger's data after a group lost some of the nodes that we added. */
export function withRaisedLess(data: Data, group: string, by: number): Data {
  return withChanged(data, { kind: 'asg-desired', id: group }, (entry) => ({ ...entry, ours: String(Number(entry.ours) - by) }));
}

function placeOf(entry: GuardEntry): Named {
  const subject = subjectOf(entry);
  return subject === null ? HEAD : partOf(subject);
}

function byPlace(entries: readonly GuardEntry[]): [Named, GuardEntry[]][] {
  const places = new Map<string, [Named, GuardEntry[]]>();
  for (const entry of entries) {
    const place = placeOf(entry);
    const own = places.get(place.name) ?? [place, []];
    own[1].push(entry);
    places.set(place.name, own);
  }
  return [...places.values()];
}

/** ConfigMap keys allow few characters and no slash; a name of an Auto Scaling group allows nearly all. */
function dataKey(entry: Pick<GuardEntry, 'kind' | 'id'>): string {
  return `${entry.kind}.${createHash('sha256').update(entryKey(entry)).digest('hex').slice(0, 16)}`;
}
