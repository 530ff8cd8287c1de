import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * Whether node_modules holds what package-lock.json says. By content, not by age: a checkout or an `npm i` elsewhere touches
 * the file without changing it, and a needless `npm ci` would pull the modules from under a running worker.
 */
export function installed() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const want = packages(join(root, 'package-lock.json'));
  const have = packages(hidden);
  return Object.entries(want).every(([path, entry]) => {
    if (path === '' || entry.optional || entry.devOptional || entry.peer) return true;
    return have[path]?.version === entry.version;
  });
}

function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/** For messages only. */
export function modulesExist() {
  return statSync(join(root, 'node_modules'), { throwIfNoEntry: false }) !== undefined;
}
