/**
 * The closed union of failure kinds. Activities throw {@link CiliateError}; one mapper (activities/failures.ts) turns
 * it, and every error of a client library, into a Temporal failure whose `type` is one of these.
 *
 * - `Transient`  an outage, a conflict: retried for ever, with a cap on the interval
 * - `Throttled`  the server said slow down: retried after its own delay
 * - `NotYet`     nothing wrong, only not there yet: benign, retried
 * - `Permanent`  will not get better by itself: fails, and says what to do
 * - `NeedsHuman` a person must decide: the workflow opens a gate and waits
 */
export const FAILURE_KINDS = ['Transient', 'Throttled', 'NotYet', 'Permanent', 'NeedsHuman'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** What every failure says: which object, what was expected, what was seen, what to do next. */
export interface FailureText {
  /** e.g. `DaemonSet kube-system/aws-node`. */
  object: string;
  expected: string;
  seen: string;
  /** The next command to type or the thing to change. */
  todo: string;
}

export interface FailureOptions {
  /** A stable code that a program can branch on, e.g. `LeaseHeld`. */
  code?: string;
  retryAfterMs?: number;
  details?: unknown;
  cause?: unknown;
}

/** One error a person can act on; thrown by domain and activities, never a bare `Error`. */
export class CiliateError extends Error {
  override readonly name = 'CiliateError';
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(
    readonly kind: FailureKind,
    readonly text: FailureText | string,
    options: FailureOptions = {},
  ) {
    super(typeof text === 'string' ? text : sentence(text), { cause: options.cause });
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** One line: object, expected, seen, what to do. */
export function sentence(text: FailureText): string {
  return `${text.object}: expected ${text.expected}, saw ${text.seen}. ${text.todo}`;
}
