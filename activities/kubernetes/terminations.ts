import { z } from 'zod';
import { GUARDS_LEDGER, TERMINATION_PREFIX } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';
import type { Data } from './configMap.js';
import { withRaisedLess } from './guardsLedger.js';

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
  return terminationIn((await readData(clients, GUARDS_LEDGER)) ?? {}, instanceId);
}

/**
 * The instances of before stay as they were first seen; whether with decrement, as it is decided last. With the same write a
 * node that a surge added counts as taken back, so that none of an autoscaler's is taken in its stead.
 */
export async function recordTermination(clients: Clients, { instanceId, group }: NodeRef, termination: Termination): Promise<void> {
  const key = `${TERMINATION_PREFIX}${instanceId}`;
  const record = JSON.stringify({ ...termination, at: new Date().toISOString() });
  await changeData(clients, GUARDS_LEDGER, (data) => {
    const back = Number(termination.decremented) - Number(terminationIn(data, instanceId)?.decremented ?? false);
    return { ...withRaisedLess(data, group, back), [key]: record };
  });
}

/** Instance ids of the terminations with decrement in the ledger's data. */
export function decrementedIn(data: Data): Set<string> {
  const prefix = `${TERMINATION_PREFIX}i-`;
  const ids = Object.keys(data).flatMap((key) => (key.startsWith(prefix) ? [key.slice(TERMINATION_PREFIX.length)] : []));
  return new Set(ids.filter((id) => terminationIn(data, id)?.decremented));
}

function terminationIn(data: Data, instanceId: string): Termination | undefined {
  const text = data[`${TERMINATION_PREFIX}${instanceId}`];
  if (text === undefined) return undefined;
  const { instancesBefore, decremented } = recordSchema.parse(JSON.parse(text));
  return { instancesBefore, decremented };
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
