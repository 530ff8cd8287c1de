import { z } from 'zod';
import { GUARDS_LEDGER, TERMINATION_PREFIX } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';
import type { Data } from './configMap.js';
import { kept, partOf, readParts, withRaisedLess } from './guardsLedger.js';

const CLAIM = `${TERMINATION_PREFIX}claim.`;
const BEFORE = `${TERMINATION_PREFIX}before.`;
const recordSchema = z.object({ decremented: z.boolean(), at: z.string() });
const beforeSchema = z.array(z.string());

/** A termination as it was decided, before it was asked for. */
export interface Termination {
  /** Instances of the group before: what comes later may be the replacement. */
  instancesBefore: string[];
  /** With decrement: no replacement comes. */
  decremented: boolean;
}

/** What was decided of this instance's termination; undefined where it was not. */
export async function readTermination(clients: Clients, { uid, instanceId }: NodeRef): Promise<Termination | undefined> {
  const [head, part] = await Promise.all([readData(clients, GUARDS_LEDGER), readData(clients, partOf(uid).name)]);
  const decremented = decrementIn(head ?? {}, instanceId);
  const before = part?.[BEFORE + instanceId];
  return decremented === undefined || before === undefined ? undefined : { instancesBefore: beforeSchema.parse(JSON.parse(before)), decremented };
}

/**
 * The instances of before stay as they were first seen, and stand with the node: they are as many as its group has. Whether with
 * decrement, as it is decided last, stands with the sizes: with the same write a node that a surge added counts as taken back, so
 * that none of an autoscaler's is taken in its stead.
 */
export async function recordTermination(clients: Clients, { uid, instanceId, group }: NodeRef, termination: Termination): Promise<void> {
  const before = JSON.stringify(termination.instancesBefore);
  await changeData(clients, partOf(uid), (data) => (data[BEFORE + instanceId] === before ? data : { ...data, [BEFORE + instanceId]: before }));
  const record = JSON.stringify({ decremented: termination.decremented, at: new Date().toISOString() });
  await changeData(clients, { name: GUARDS_LEDGER }, (data) => {
    const back = Number(termination.decremented) - Number(decrementIn(data, instanceId) ?? false);
    return { ...withRaisedLess(data, group, back), [TERMINATION_PREFIX + instanceId]: record };
  });
}

/** Instance ids of the terminations with decrement in the ledger's data. */
export function decrementedIn(data: Data): Set<string> {
  const prefix = `${TERMINATION_PREFIX}i-`;
  const ids = Object.keys(data).flatMap((key) => (key.startsWith(prefix) ? [key.slice(TERMINATION_PREFIX.length)] : []));
  return new Set(ids.filter((id) => decrementIn(data, id)));
}

function decrementIn(data: Data, instanceId: string): boolean | undefined {
  const text = data[TERMINATION_PREFIX + instanceId];
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text)).decremented;
}

/** Claims as this process knows them. Only a hint that may be old: what decides is the ledger, at the moment of {@link claim}. */
const known = new WeakMap<Clients, { at: number; claims: Map<string, string> }>();
/** All of them are read at most so often, however many nodes wait for their replacements. */
const FRESH_MS = 5_000;

/** Replacements that are spoken for, with the instance that each replaces. */
export async function claims(clients: Clients): Promise<ReadonlyMap<string, string>> {
  const before = known.get(clients);
  if (before !== undefined && Date.now() - before.at < FRESH_MS) return before.claims;
  const seen = { at: Date.now(), claims: before?.claims ?? new Map<string, string>() };
  known.set(clients, seen);
  for (const data of (await readParts(clients)).values()) {
    for (const [key, by] of Object.entries(data)) if (key.startsWith(CLAIM)) seen.claims.set(key.slice(CLAIM.length), by);
  }
  return seen.claims;
}

/** Of nodes that are refreshed side by side each has a replacement of its own. False: somebody else's already. */
export async function claim(clients: Clients, replacement: string, replaces: string): Promise<boolean> {
  const key = CLAIM + replacement;
  const data = await changeData(clients, partOf(replacement), (now) => (key in now ? now : { ...now, [key]: replaces }));
  const by = data[key] ?? '';
  known.get(clients)?.claims.set(replacement, by);
  return by === replaces;
}

/** Of one node. Its replacement stays spoken for. */
export async function dropTermination(clients: Clients, { uid, instanceId }: Pick<NodeRef, 'uid' | 'instanceId'>): Promise<void> {
  await changeData(clients, { name: GUARDS_LEDGER }, (data) => kept(data, (key) => key !== TERMINATION_PREFIX + instanceId));
  await changeData(clients, partOf(uid), (data) => kept(data, (key) => key !== BEFORE + instanceId));
}

/** Of all, at the end. */
export async function dropTerminations(clients: Clients): Promise<void> {
  const parts = await readParts(clients);
  for (const name of [GUARDS_LEDGER, ...parts.keys()]) await changeData(clients, { name }, (data) => kept(data, (key) => !key.startsWith(TERMINATION_PREFIX)));
  known.delete(clients);
}
