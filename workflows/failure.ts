import { ActivityFailure, ApplicationFailure, isCancellation, patched } from '@temporalio/workflow';
import { FAILURE_KINDS } from '../domain/failures.js';
import type { FailureKind } from '../domain/failures.js';

/** A failure as the workflow branches on it: kind, code, and the sentence for people. */
export interface StepFailure {
  kind: FailureKind;
  code?: string;
  message: string;
}

/** Reads a failed activity. Anything that is not one of ours is Permanent: an unknown bug must stop, not loop. */
export function stepFailure(error: unknown): StepFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const kind = FAILURE_KINDS.find((known) => known === cause.type) ?? 'Permanent';
    const detail = cause.details?.[0];
    const code = typeof detail === 'object' && detail !== null && 'code' in detail ? String(detail.code) : undefined;
    return { kind, code, message: cause.message };
  }
  return { kind: 'Permanent', message: error instanceof Error ? error.message : String(error) };
}

/** What the server tries again for as long as nobody cancels it. */
const RETRIED: readonly FailureKind[] = ['NotYet', 'Transient', 'Throttled'];

/**
 * Whether a step that was cancelled ended by that. An attempt that fails before it hears of its cancellation is not tried again, and what
 * it said comes in place of the cancellation: no failure that a person has to mend.
 */
export function endedByCancel(error: unknown): boolean {
  // Runs that met this before took it for a failure.
  return isCancellation(error) || (RETRIED.includes(stepFailure(error).kind) && patched('cut-off-is-no-failure'));
}
