import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Every file below `dir`, as paths relative to it, sorted. */
export function filesBelow(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.path ?? entry.parentPath, entry.name)))
    .sort();
}

/** What a build reads. ./ciliate asks the same of `find`: keep the two alike. */
const isInput = (name) => /\.(ts|mjs)$/.test(name);

/** Newest modification below `dir`, folders included: a deleted file shows in its folder only. Milliseconds; 0 where absent. */
export function newestBelow(dir) {
  const own = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (own === 0) return 0;
  return readdirSync(dir, { withFileTypes: true }).reduce((newest, entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return entry.name === '__pycache__' ? newest : Math.max(newest, newestBelow(path));
    return isInput(entry.name) ? Math.max(newest, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) : newest;
  }, own);
}

/**
 * Makes `to` equal to `from` file by file, each by an atomic rename: a process that runs from `to` never meets a missing or
 * half-written file, and unchanged files are left alone.
 */
export function mirror(from, to) {
  const wanted = filesBelow(from);
  for (const file of wanted) {
    const target = join(to, file);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(from, file)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    const temporary = `${target}.${process.pid}.tmp`;
    copyFileSync(join(from, file), temporary);
    renameSync(temporary, target);
  }
  const keep = new Set(wanted);
  for (const file of filesBelow(to)) if (!keep.has(file)) rmSync(join(to, file), { force: true });
}
