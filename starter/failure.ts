import { FAILURE_KINDS } from '../domain/failures.js';
import type { FailureKind } from '../domain/failures.js';
import { EXIT } from './exit.js';
import type { ExitCode } from './exit.js';

/** The exit code for a failure kind: what may pass by itself is "cannot be reached", the rest has failed. */
export function exitCodeOfKind(kind: FailureKind): ExitCode {
  switch (kind) {
    case 'Transient':
    case 'Throttled':
    case 'NotYet':
      return EXIT.unreachable;
    case 'Permanent':
    case 'NeedsHuman':
      return EXIT.failed;
  }
}

/** The same for a Temporal failure, whose `type` is its kind. */
export function exitCodeOfFailure({ type }: { type?: string | null }): ExitCode {
  return exitCodeOfKind(FAILURE_KINDS.find((kind) => kind === type) ?? 'Permanent');
}
