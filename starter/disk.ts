import { statfsSync } from 'node:fs';
import { usageError } from './exit.js';
import type { ExitError } from './exit.js';

/** What Node, pip, Go, SQLite and etcd say of a disk (or a quota) that is used up. */
const FULL = /\b(ENOSPC|EDQUOT)\b|no space left on device|disk is full|disk quota exceeded/i;
const LEAST_BYTES = 1_000_000;

/** One line that says what to free, exit code 2. `where`: a path on the disk that is full, where it is known. */
export function diskFullError(where?: string): ExitError {
  return usageError(`the disk is full${where === undefined ? '' : ` (${where})`}: free some space, or set CILIATE_CACHE and TMPDIR to where there is more`);
}

/** The same where that is what an error says, or one of its causes. */
export function asDiskFull(error: unknown): ExitError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code, path, stderr } = at as NodeJS.ErrnoException & { stderr?: unknown };
    if (FULL.test(`${code} ${at.message} ${typeof stderr === 'string' ? stderr : ''}`)) return diskFullError(path);
  }
  return undefined;
}

/** The first of these folders whose disk is used up: a program that fails for it often says something else, or nothing. */
export function usedUp(folders: string[]): string | undefined {
  return folders.find((folder) => {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize < LEAST_BYTES;
    } catch {
      return false;
    }
  });
}
