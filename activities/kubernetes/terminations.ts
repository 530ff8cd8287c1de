import { z } from 'zod';
import { GUARDS_LEDGER } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';

/** Beside the guards, under keys of its own: `termination.i-…`. */
export const TERMINATION_PREFIX = 'termination.';
const recordSchema = z.object({ instancesBefore: z.array(z.string()), at: z.string() });

/** The instances of its group before this one's termination was asked for; undefined where it was not. */
export async function readTermination(clients: Clients, instanceId: string): Promise<string[] | undefined> {
  const text = (await readData(clients, GUARDS_LEDGER))?.[`${TERMINATION_PREFIX}${instanceId}`];
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text)).instancesBefore;
}

export async function recordTermination(clients: Clients, instanceId: string, instancesBefore: string[]): Promise<void> {
  const key = `${TERMINATION_PREFIX}${instanceId}`;
  const record = JSON.stringify({ instancesBefore, at: new Date().toISOString() });
  await changeData(clients, GUARDS_LEDGER, (data) => (key in data ? data : { ...data, [key]: record }));
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
