/** Exit codes of every verb (docs/guide.md). */
export const EXIT = {
  done: 0,
  /** Failed, blocked, partial, or blockers found. */
  failed: 1,
  /** Bad usage or spec; a tool is missing, a port taken, a disk full. */
  usage: 2,
  /** Something cannot be reached. */
  unreachable: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error whose message is all that a person needs: printed without a stack. */
export class ExitError extends Error {
  override readonly name = 'ExitError';

  constructor(
    readonly code: ExitCode,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

export const usageError = (message: string): ExitError => new ExitError(EXIT.usage, message);
export const failedError = (message: string): ExitError => new ExitError(EXIT.failed, message);
export const unreachableError = (message: string, cause?: unknown): ExitError => new ExitError(EXIT.unreachable, message, { cause });
