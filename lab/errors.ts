/** The machine or the command line is not fit for a lab; `message` is one line that says what to install, free or change. */
export class LabUsageError extends Error {
  override readonly name = 'LabUsageError';
}

/** A lab that should be there does not answer. */
export class LabUnreachableError extends Error {
  override readonly name = 'LabUnreachableError';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node's errno code (`ENOENT`, `ESRCH` …) of anything that was thrown, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
