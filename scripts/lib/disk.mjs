import { statfsSync } from 'node:fs';

/** What Node and npm say of a disk (or a quota) that is used up. starter/disk.ts knows more, but is not built yet when this runs. */
const FULL = /\b(ENOSPC|EDQUOT)\b|no space left on device|disk quota exceeded/i;

/** One line for a disk that is full; undefined where `text` (an error, or what a program wrote) says something else. */
export function diskFull(text, folder) {
  return FULL.test(text) ? `the disk is full (${folder}): free some space, or set TMPDIR or npm_config_cache where it is theirs` : undefined;
}

/** One line where less than `megabytes` are free in `folder`, before anything is written there. */
export function tooSmall(folder, megabytes) {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1e6);
  return free < megabytes ? `not enough disk space in ${folder}: ${free} MB free, ${megabytes} MB needed: free some` : undefined;
}
