import { z } from 'zod';
import { GUARDS_LEDGER, TERMINATION_PREFIX } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Spoken } from '../../domain/replacements.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';
import type { Data } from './configMap.js';
import { kept, partOf, readParts, withRaisedLess } from './guardsLedger.js';

const CLAIM = `${TERMINATION_PREFIX}claim.`;
const FREED = `${TERMINATION_PREFIX}freed.`;
const BEFORE = `${TERMINATION_PREFIX}before.`;
const recordSchema = z.object({ decremented: z.boolean(), at: z.string() });
const idsSchema = z.array(z.string());

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
  return decremented === undefined || before === undefined ? undefined : { instancesBefore: idsSchema.parse(JSON.parse(before)), decremented };
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

/** What this process knows of claims. Only a hint that may be old: what decides is the ledger, at the moment of {@link claim}. */
interface Known {
  at: number;
  read: Promise<void>;
  claimed: Map<string, string>;
  freed: Set<string>;
}
const known = new WeakMap<Clients, Known>();
/** All of them are read at most so often, however many nodes wait for their replacements. */
const FRESH_MS = 5_000;

/** Replacements that are spoken for, and those that are anybody's. */
export async function spoken(clients: Clients): Promise<Spoken> {
  const before = known.get(clients);
  const seen = before !== undefined && Date.now() - before.at < FRESH_MS ? before : ask(clients, before);
  await seen.read;
  return seen;
}

function ask(clients: Clients, before: Known | undefined): Known {
  const { claimed, freed } = before ?? { claimed: new Map<string, string>(), freed: new Set<string>() };
  const read = readParts(clients).then((parts) => {
    for (const [key, text] of [...parts.values()].flatMap((data) => Object.entries(data))) {
      if (key.startsWith(CLAIM)) claimed.set(key.slice(CLAIM.length), text);
      else if (key.startsWith(FREED)) for (const id of idsSchema.parse(JSON.parse(text))) freed.add(id);
    }
  });
  const asked: Known = { at: Date.now(), read, claimed, freed };
  known.set(clients, asked);
  // Who asks next asks anew.
  read.catch(() => known.get(clients) === asked && known.delete(clients));
  return asked;
}

export interface Claim {
  /** Instance ids. */
  replacement: string;
  replaces: string;
  /** What the node leaves for others, by freedBy. */
  frees: readonly string[];
}

/** Of nodes that are refreshed side by side each has a replacement of its own. False: somebody else's already. */
export async function claim(clients: Clients, { replacement, replaces, frees }: Claim): Promise<boolean> {
  const key = CLAIM + replacement;
  const left = frees.length === 0 ? {} : { [FREED + replacement]: JSON.stringify(frees) };
  const data = await changeData(clients, partOf(replacement), (now) => (key in now ? now : { ...now, [key]: replaces, ...left }));
  const by = data[key] ?? '';
  const here = known.get(clients);
  here?.claimed.set(replacement, by);
  // As it was written, which may have been before.
  for (const id of idsSchema.parse(JSON.parse(data[FREED + replacement] ?? '[]'))) here?.freed.add(id);
  return by === replaces;
}

/** Whether the node's group is to shrink by it, as it was decided last. */
export async function isDecremented(clients: Clients, { instanceId }: NodeRef): Promise<boolean> {
  return decrementIn((await readData(clients, GUARDS_LEDGER)) ?? {}, instanceId) ?? false;
}

/**
 * Of one node whose end is not ours to watch any more; its replacement stays spoken for. What did not happen counts no more, with the
 * same write: so it is given back once, however often this is called.
 */
export async function dropTermination(clients: Clients, { uid, instanceId, group }: NodeRef, { happened }: { happened: boolean }): Promise<void> {
  await changeData(clients, { name: GUARDS_LEDGER }, (data) => {
    const counted = !happened && decrementIn(data, instanceId) === true ? withRaisedLess(data, group, -1) : data;
    return kept(counted, (key) => key !== TERMINATION_PREFIX + instanceId);
  });
  await changeData(clients, partOf(uid), (data) => kept(data, (key) => key !== BEFORE + instanceId));
}

/** Of all, at the end. */
export async function dropTerminations(clients: Clients): Promise<void> {
  const parts = await readParts(clients);
  for (const name of [GUARDS_LEDGER, ...parts.keys()]) await changeData(clients, { name }, (data) => kept(data, (key) => !key.startsWith(TERMINATION_PREFIX)));
  known.delete(clients);
}
