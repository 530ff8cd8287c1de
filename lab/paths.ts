import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabUsageError } from './errors.js';

/** Where things that can be built again are kept: outside the checkout, so a fresh clone finds them. */
export function cacheRoot(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['CILIATE_CACHE'] ?? path.join(base, 'ciliate');
}

/** The folder that holds one folder a lab. */
export function labsRoot(): string {
  const state = process.env['XDG_STATE_HOME'];
  return state === undefined ? path.join(cacheRoot(), 'labs') : path.join(state, 'ciliate', 'labs');
}

/** The environment variable that puts it elsewhere. */
export function labsSetting(): string {
  return process.env['XDG_STATE_HOME'] === undefined ? 'CILIATE_CACHE' : 'XDG_STATE_HOME';
}

/** The folder of one lab. Names become file names and cluster names, hence the narrow alphabet. */
export function labDir(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new LabUsageError(`lab name "${name}": expected 1 to 32 of a-z, 0-9 and -, not starting with -`);
  }
  return path.join(labsRoot(), name);
}

let found: string | undefined;

/**
 * The `lab/` folder with what is not code (go.mod, Python, chart). Searched upwards, because a bundled build runs from
 * `dist/` while these files stay where they are.
 */
export function assetsRoot(): string {
  if (found !== undefined) return found;
  let dir = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    for (const candidate of [dir, path.join(dir, 'lab')]) {
      if (existsSync(path.join(candidate, 'controlplane', 'go.mod'))) return (found = candidate);
    }
    const parent = path.dirname(dir);
    if (parent === dir) throw new LabUsageError('the lab/ folder with controlplane/go.mod is missing from this installation');
    dir = parent;
  }
}
