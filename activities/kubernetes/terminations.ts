import { z } from 'zod';
import { GUARDS_LEDGER } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';

/** Beside the guards, under keys of its own: `termination.i-…`, and `termination.claim.i-…` for replacements. */
export const TERMINATION_PREFIX = 'termination.';
const CLAIM = 'claim.';
const recordSchema = z.object({ instancesBefore: z.array(z.string()), decremented: z.boolean(), at: z.string() });

/** A termination as it was decided, before it was asked for. */
export interface Termination {
  /** Instances of the group before: what comes later may be the replacement. */
  instancesBefore: string[];
  /** With decrement: no replacement comes. */
  decremented: boolean;
}

/** What was decided of this instance's termination; undefined where it was not. */
export async function readTermination(clients: Clients, instanceId: string): Promise<Termination | undefined> {
  const text = (await readData(clients, GUARDS_LEDGER))?.[`${TERMINATION_PREFIX}${instanceId}`];
  if (text === undefined) return undefined;
  const { instancesBefore, decremented } = recordSchema.parse(JSON.parse(text));
  return { instancesBefore, decremented };
}

/** The instances of before stay as they were first seen; whether with decrement, as it is decided last. */
export async function recordTermination(clients: Clients, instanceId: string, termination: Termination): Promise<void> {
  const key = `${TERMINATION_PREFIX}${instanceId}`;
  const record = JSON.stringify({ ...termination, at: new Date().toISOString() });
  await changeData(clients, GUARDS_LEDGER, (data) => ({ ...data, [key]: record }));
}

/** Replacements that are spoken for, with the instance that each replaces. */
export async function claims(clients: Clients): Promise<Map<string, string>> {
  const prefix = `${TERMINATION_PREFIX}${CLAIM}`;
  const data = (await readData(clients, GUARDS_LEDGER)) ?? {};
  return new Map(Object.entries(data).flatMap(([key, by]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), by] as const] : [])));
}

/** Of nodes that are refreshed side by side each has a replacement of its own. False: somebody else's already. */
export async function claim(clients: Clients, replacement: string, replaces: string): Promise<boolean> {
  const key = `${TERMINATION_PREFIX}${CLAIM}${replacement}`;
  const data = await changeData(clients, GUARDS_LEDGER, (now) => (key in now ? now : { ...now, [key]: replaces }));
  return data[key] === replaces;
}

/** Of one instance, or of all at the end. */
export async function dropTerminations(clients: Clients, instanceId?: string): Promise<void> {
  const doomed = (key: string): boolean => (instanceId === undefined ? key.startsWith(TERMINATION_PREFIX) : key === `${TERMINATION_PREFIX}${instanceId}`);
  await changeData(clients, GUARDS_LEDGER, (data) => {
    const kept = Object.entries(data).filter(([key]) => !doomed(key));
    if (kept.length === Object.keys(data).length) return data;
    return kept.length === 0 ? null : Object.fromEntries(kept);
  });
}
