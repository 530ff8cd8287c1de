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

/**
 * Of the instances that a node's pool has now, those that cannot be its replacement. What was launched for a node that still waits can,
 * as long as nobody has claimed it: each takes what is ready first, and of two that went at different times the later one would be left
 * with an instance that is older than its own end, and wait for ever. To be asked after the pool was.
 */
export async function notReplacing(clients: Clients, { instanceId }: Pick<NodeRef, 'instanceId'>, instances: readonly string[]): Promise<string[]> {
  const ledger = [...(await readParts(clients)).values()].flatMap((data) => Object.entries(data));
  const claimed = new Set(ledger.flatMap(([key]) => (key.startsWith(CLAIM) ? [key.slice(CLAIM.length)] : [])));
  // Those that wait in the same pool knew this node when they went.
  const waiting = ledger.flatMap(([key, text]) => (key.startsWith(BEFORE) && key !== BEFORE + instanceId ? [new Set(beforeSchema.parse(JSON.parse(text)))] : [])).filter((before) => before.has(instanceId));
  return instances.filter((id) => claimed.has(id) || waiting.every((before) => before.has(id)));
}

/** More than these are too many to keep beside each other while their nodes wait: EKS allows 450 in a managed node group. */
const MOST_KEPT = 1_000;

/**
 * Of one node whose end is not ours to watch any more. Its replacement stays spoken for; while that is awaited, what its pool had before
 * stays too ({@link notReplacing}).
 */
export async function dropTermination(clients: Clients, node: Pick<NodeRef, 'uid' | 'instanceId'>): Promise<void> {
  let decremented: boolean | undefined;
  await changeData(clients, { name: GUARDS_LEDGER }, (data) => {
    decremented = decrementIn(data, node.instanceId);
    return kept(data, (key) => key !== TERMINATION_PREFIX + node.instanceId);
  });
  // Asked a second time there is no record, and the node waits all the same.
  const before = (await readData(clients, partOf(node.uid).name))?.[BEFORE + node.instanceId];
  if (before !== undefined && (decremented === true || beforeSchema.parse(JSON.parse(before)).length > MOST_KEPT)) await dropWait(clients, node);
}

/** Its replacement is there, or none is due. */
export async function dropWait(clients: Clients, { uid, instanceId }: Pick<NodeRef, 'uid' | 'instanceId'>): Promise<void> {
  await changeData(clients, partOf(uid), (data) => kept(data, (key) => key !== BEFORE + instanceId));
}

/** Of all, at the end. */
export async function dropTerminations(clients: Clients): Promise<void> {
  const parts = await readParts(clients);
  for (const name of [GUARDS_LEDGER, ...parts.keys()]) await changeData(clients, { name }, (data) => kept(data, (key) => !key.startsWith(TERMINATION_PREFIX)));
  known.delete(clients);
}
