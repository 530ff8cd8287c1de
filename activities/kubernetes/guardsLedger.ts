import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GUARDS_LEDGER, TERMINATION_PREFIX } from '../../domain/names.js';
import { entryKey, GUARD_KINDS } from '../../domain/ledger.js';
import type { Entries, GuardEntry } from '../../domain/ledger.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';
import type { Data } from './configMap.js';

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

/** All entries of the guards ledger; none where there is no ledger. */
export async function readGuards(clients: Clients): Promise<Entries> {
  return guardsIn((await readData(clients, GUARDS_LEDGER)) ?? {});
}

/** Puts entries in. To be done before what they describe. */
export async function putGuards(clients: Clients, entries: GuardEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await changeData(clients, GUARDS_LEDGER, (data) => ({ ...data, ...Object.fromEntries(entries.map((entry) => [dataKey(entry), JSON.stringify(entry)])) }));
}

/** Takes entries out, each only while it is still that very entry. The ConfigMap goes with the last one. */
export async function dropGuards(clients: Clients, entries: GuardEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const gone = new Map(entries.map((entry) => [dataKey(entry), JSON.stringify(entry)]));
  await changeData(clients, GUARDS_LEDGER, (data) => {
    const kept = Object.entries(data).filter(([key, text]) => gone.get(key) !== text);
    if (kept.length === Object.keys(data).length) return data;
    return kept.length === 0 ? null : Object.fromEntries(kept);
  });
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

/** Of a group's raised DesiredCapacity less is ours from now on. */
export async function lowerRaised(clients: Clients, group: string, by: number): Promise<void> {
  await changeData(clients, GUARDS_LEDGER, (data) => withRaisedLess(data, group, by));
}

/** The ledger's data after a group lost some of the nodes that we added. */
export function withRaisedLess(data: Data, group: string, by: number): Data {
  return withChanged(data, { kind: 'asg-desired', id: group }, (entry) => ({ ...entry, ours: String(Number(entry.ours) - by) }));
}

/** ConfigMap keys allow few characters and no slash; a name of an Auto Scaling group allows nearly all. */
function dataKey(entry: Pick<GuardEntry, 'kind' | 'id'>): string {
  return `${entry.kind}.${createHash('sha256').update(entryKey(entry)).digest('hex').slice(0, 16)}`;
}
