import { setTimeout as sleep } from 'node:timers/promises';
import { asyncLocalStorage } from '@temporalio/activity';
import { CiliateError } from '../domain/failures.js';
import type { Look } from './api.js';
import type { Clients } from './clients/index.js';
import type { ClusterEvent } from './clients/events.js';
import { stopIfCancelled } from './look.js';
import { restMs } from './rest.js';

/** An attempt lingers for at most so long. */
const LINGER_MS = 15_000;
/** What has not come by then is waited for without a slot, by the server's retry alone. */
const YOUNG_MS = 45_000;
/** Activities side by side in a worker: a slot is a promise, and all that many of them cost is what they do. */
export const SLOTS = 120;
/** So many attempts may linger in this process; the rest of the slots is always free for those who do something. */
export const MOST_LINGERING = 80;
/** Without an event, a look is repeated after a tenth of the time waited, but not sooner. */
const SOONEST_MS = 200;
/** From so many on they are a crowd: something that matters to one of them happens all the time, so each rests (restMs) whatever happens. */
const CROWD = 20;
/** … and where no slot is left to linger in, none comes again sooner than this: each is work for Temporal's server. */
const CROWDED_MS = 1_000;

let lingering = 0;

/** Where a look waits. */
interface Where extends Pick<Clients, 'events'> {
  /** How many attempts may linger side by side in this process. */
  mostLingering?: number;
}

/**
 * Repeats a look within its attempt while its wait is young, at once when an event of the cluster matters to it. Only an
 * acceleration of what Temporal's retry does anyway (docs/adr/0003): a stuck wait holds no slot.
 */
export async function linger<T extends Look>({ events, mostLingering = MOST_LINGERING }: Where, matters: (event: ClusterEvent) => boolean, pass: () => Promise<T>): Promise<T> {
  const context = asyncLocalStorage.getStore();
  if (context === undefined) return pass();
  const since = context.info.scheduledTimestampMs;
  const until = Date.now() + LINGER_MS;
  const listening = events.listen(matters);
  try {
    for (;;) {
      const began = Date.now();
      try {
        return await pass();
      } catch (error) {
        const now = Date.now();
        if (!mayLinger(error) || events.closed || now >= until || now - since > YOUNG_MS) throw error;
        if (lingering >= mostLingering) throw new CiliateError('NotYet', error.text, { code: error.code, details: error.details, cause: error.cause, retryAfterMs: crowdedMs(now - since) });
      }
      lingering++;
      try {
        const ended = Date.now();
        const signal = context.cancellationSignal;
        if (lingering > CROWD) await sleep(restMs(ended - began), undefined, { signal }).catch(() => undefined);
        await listening.next(Math.max(SOONEST_MS, (ended - since) / 10), signal);
      } finally {
        lingering--;
      }
      stopIfCancelled();
    }
  } finally {
    listening.end();
  }
}

/** Not where a server said when to come again. */
function mayLinger(error: unknown): error is CiliateError {
  return error instanceof CiliateError && error.kind === 'NotYet' && error.retryAfterMs === undefined;
}

/** When a wait that has lasted for so long is looked at again where many wait, in milliseconds. */
export function crowdedMs(waited: number): number {
  return Math.max(CROWDED_MS, waited / 10);
}
