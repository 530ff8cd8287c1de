import { homedir } from 'node:os';
import { join } from 'node:path';

/** What can be fetched or built again: `$CILIATE_CACHE`, else below `$XDG_CACHE_HOME`, else `~/.cache`. */
export function cacheFolder(): string {
  return process.env['CILIATE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ciliate');
}

/** Charts that were fetched: one folder for worker and command line, so that `plan` and the run read the same bytes. */
export function chartFolder(): string {
  return join(cacheFolder(), 'charts');
}
