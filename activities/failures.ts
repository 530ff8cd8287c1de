import { ApplicationFailureCategory, TemporalFailure } from '@temporalio/common';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import { z } from 'zod';
import { CiliateError } from '../domain/failures.js';
import type { FailureKind } from '../domain/failures.js';
import { classify } from './clients/errors.js';
import { carried } from './look.js';

/** What a failure's first detail holds: a program branches on `code`; `NotYet` brings its blockers along. */
export interface FailureDetail {
  code?: string;
  [key: string]: unknown;
}

/** How long an API that says "unauthorized" is believed to be ill rather than right: tokens and webhooks recover. */
const UNAUTHORIZED_PATIENCE_MS = 90_000;
const HEARTBEAT_MS = 2_000;

/**
 * The one mapper from errors to Temporal failures: `type` is the failure's kind (domain/failures.ts), the message says
 * object, expected, seen and what to do, details[0] is a {@link FailureDetail}. What no rule knows is Permanent: an unknown
 * bug must stop, not loop.
 *
 * @param unauthorizedMs for how long the same step has been answered "unauthorized"
 */
export function toFailure(error: unknown, unauthorizedMs = 0): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const known = error instanceof z.ZodError ? unexpectedAnswer(error) : (classify(error) ?? unknown(error));
  const kind = known.code === 'Unauthorized' && unauthorizedMs > UNAUTHORIZED_PATIENCE_MS ? 'Permanent' : known.kind;
  const detail: FailureDetail = { code: known.code, ...(isRecord(known.details) ? known.details : {}) };
  return ApplicationFailure.create({
    message: known.message,
    type: kind,
    details: [detail],
    cause: known.cause instanceof Error ? shallow(known.cause) : undefined,
    ...retry(kind, known.retryAfterMs),
  });
}

function retry(kind: FailureKind, retryAfterMs: number | undefined): Pick<NonNullable<Parameters<typeof ApplicationFailure.create>[0]>, 'nonRetryable' | 'nextRetryDelay' | 'category'> {
  const nextRetryDelay = retryAfterMs === undefined ? undefined : Math.max(1, Math.round(retryAfterMs));
  switch (kind) {
    case 'Transient':
      return { nonRetryable: false, nextRetryDelay };
    case 'Throttled':
      // Without a word of the server's the retry policy decides.
      return { nonRetryable: false, nextRetryDelay };
    case 'NotYet':
      return { nonRetryable: false, nextRetryDelay, category: ApplicationFailureCategory.BENIGN };
    case 'Permanent':
    case 'NeedsHuman':
      return { nonRetryable: true };
  }
}

/** Name and first line only: answers of AWS and of API servers are large, and may hold more than history should. */
function shallow(cause: Error): ApplicationFailure {
  return ApplicationFailure.create({ message: (cause.message.split('\n')[0] ?? '').slice(0, 500), type: cause.name });
}

function unknown(error: unknown): CiliateError {
  const text = error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ') : String(error);
  return new CiliateError(
    'Permanent',
    { object: 'ciliate', expected: 'no unexpected error', seen: text, todo: 'This is a bug of ciliate: please report it with this line.' },
    { code: 'Unexpected', cause: error },
  );
}

function unexpectedAnswer(error: z.ZodError): CiliateError {
  return new CiliateError(
    'Permanent',
    { object: 'data from outside', expected: 'the documented form', seen: z.prettifyError(error).replaceAll('\n', '; '), todo: 'Correct it, or report it if it comes from a cluster.' },
    { code: 'Malformed', cause: error },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Around every activity: maps its error, passes cancellation on as cancellation, and heartbeats while it runs, so that a
 * short heartbeatTimeout tells of a killed worker whatever the activity does. The worker's maxHeartbeatThrottleInterval
 * must be as short, or cancellation arrives late.
 */
export class FailureInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly unauthorizedSince: Map<string, number>,
  ) {}

  readonly execute: NonNullable<ActivityInboundCallsInterceptor['execute']> = async (input, next) => {
    const { context } = this;
    const beat = setInterval(() => context.heartbeat(carried(context)), HEARTBEAT_MS);
    const step = `${context.info.workflowExecution?.runId ?? ''}/${context.info.activityId}`;
    try {
      const result = await next(input);
      this.unauthorizedSince.delete(step);
      return result;
    } catch (error) {
      if (context.cancellationSignal.aborted && isAbort(error)) return await context.cancelled;
      if (error instanceof TemporalFailure && !(error instanceof ApplicationFailure)) throw error;
      throw this.mapped(error, step);
    } finally {
      clearInterval(beat);
    }
  };

  private mapped(error: unknown, step: string): ApplicationFailure {
    const failure = toFailure(error);
    const detail = failure.details?.[0] as FailureDetail | undefined;
    if (detail?.code !== 'Unauthorized') {
      this.unauthorizedSince.delete(step);
      return failure;
    }
    const since = this.unauthorizedSince.get(step) ?? Date.now();
    this.unauthorizedSince.set(step, since);
    return toFailure(error, Date.now() - since);
  }
}

/** For `WorkerOptions.interceptors.activity`. */
export function failureInterceptors(): (context: Context) => ActivityInterceptors {
  const unauthorizedSince = new Map<string, number>();
  return (context) => ({ inbound: new FailureInterceptor(context, unauthorizedSince) });
}

/** Requests that were cut off by a cancellation, in the words of fetch, of the AWS SDK and of Node. */
function isAbort(error: unknown): boolean {
  return error instanceof CancelledFailure || (error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR')));
}
