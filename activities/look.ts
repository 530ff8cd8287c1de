import { asyncLocalStorage } from '@temporalio/activity';
import type { Context } from '@temporalio/activity';
import { canonicalJson } from '../domain/canonical.js';
import { sha256Hex } from '../domain/digest.js';
import { CiliateError } from '../domain/failures.js';
import type { Blocker } from '../domain/refresh.js';
import type { Look } from './api.js';

export interface LookInput<E> {
  /** What the caller saw last. */
  known: string;
  done: boolean;
  blockers: Blocker[];
  /** What a person would call a change, as JSON: no counters that run, no time stamps. */
  seenOf: unknown;
  /** In place of the digest: for a look that must read in `known` what was told before. */
  seen?: string;
  /** Ask again after this long, where a server said so. */
  retryAfterMs?: number;
  /** Unchanged for so long (milliseconds), what is awaited counts as blocked. */
  overdueMs?: number;
  /**
   * What changes sooner than this (milliseconds) after what was told last is not told yet: it may be over by then. `firm`: not even what is
   * firm. `first`: not even what is seen first.
   */
  settle?: { ms: number; firm: boolean; first?: boolean };
  /** Too young to be told (docs/adr/0003): they stand in the failure's text only. */
  young?: Blocker[];
  extra: E;
}

/** A boot of minutes is nothing to call a person for; this is. */
const OVERDUE_MS = 300_000;
/** Ends the digest of something that is overdue, so that the next look knows. */
const OVERDUE_MARK = '!';

/** How many blockers stand in a failure's text; the rest are counted. */
const IN_TEXT = 3;
/** How many are told at a time: each is carried by histories, statuses and what a run continues as new with, of fifty nodes at once. */
const TOLD = 10;

/**
 * The contract of every look (activities/api.ts): returns when done, or when what is seen differs from `known`; otherwise
 * throws NotYet with the blockers, so that Temporal's retry waits and its UI says what for.
 */
export function look<E extends object>(input: LookInput<E>): Look & E {
  const { done, blockers, known, extra } = input;
  const digest = input.seen ?? sha256Hex(canonicalJson({ done, seenOf: input.seenOf ?? null })).slice(0, 16);
  const overdue = known === `${digest}${OVERDUE_MARK}` || (known === digest && waitedMs() > (input.overdueMs ?? OVERDUE_MS));
  const seen = overdue ? `${digest}${OVERDUE_MARK}` : digest;
  const told = some(overdue ? blockers.map((blocker) => ({ ...blocker, firm: true })) : blockers);
  const { settle } = input;
  const unsettled = settle !== undefined && (known !== '' || settle.first === true) && waitedMs() < settle.ms && (settle.firm || !told.some(({ firm }) => firm));
  if (done || (seen !== known && !unsettled)) return { ...extra, done, seen, blockers: done ? [] : told };
  const all = [...blockers, ...(input.young ?? [])];
  throw new CiliateError('NotYet', blockersText(all), { code: 'NotYet', retryAfterMs: input.retryAfterMs, details: { blockers: all.slice(0, TOLD) } });
}

/** The first few; firm ones before others, and how many more there are. */
function some(blockers: Blocker[]): Blocker[] {
  if (blockers.length <= TOLD) return blockers;
  const first = [...blockers].sort((a, b) => Number(b.firm ?? false) - Number(a.firm ?? false)).slice(0, TOLD - 1);
  const left = blockers.length - first.length;
  const isFirm = blockers.some(({ firm }) => firm);
  return [...first, { object: `${left} more`, reason: 'of the same wait are not listed', todo: 'They are told as those before them are gone.', ...(isFirm ? { firm: true } : {}) }];
}

/** How long this look has been retried: since it was scheduled, over all attempts. */
export function waitedMs(): number {
  const since = asyncLocalStorage.getStore()?.info.scheduledTimestampMs;
  return since === undefined ? 0 : Date.now() - since;
}

/** One line for a list of blockers. */
export function blockersText(blockers: Blocker[]): string {
  const lines = blockers.slice(0, IN_TEXT).map(({ object, reason, todo }) => `${object}: ${reason}. ${todo}`.trim());
  const more = blockers.length > IN_TEXT ? [`and ${blockers.length - IN_TEXT} more`] : [];
  return [...lines, ...more].join(' | ') || 'not there yet';
}

const carriedBy = new WeakMap<Context, unknown>();

/** What this attempt carries to the next one in its heartbeats; at first what the attempt before carried. */
export function carried(context: Context): unknown {
  return carriedBy.has(context) ? carriedBy.get(context) : (context.info.heartbeatDetails as unknown);
}

/** Keeps a small value over the retries of this activity. Nothing happens outside an activity. */
export function carry(details: unknown): void {
  const context = asyncLocalStorage.getStore();
  if (context === undefined) return;
  carriedBy.set(context, details);
  context.heartbeat(details);
}

/** What the attempts before carried; undefined at the first, and outside an activity. */
export function carriedNow(): unknown {
  const context = asyncLocalStorage.getStore();
  return context === undefined ? undefined : carried(context);
}

/** Throws where the activity was cancelled: called between writes, so that a pause takes effect there. */
export function stopIfCancelled(): void {
  asyncLocalStorage.getStore()?.cancellationSignal.throwIfAborted();
}
