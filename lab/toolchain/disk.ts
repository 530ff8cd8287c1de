import { existsSync } from 'node:fs';
import { mkdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { LabUsageError, messageOf } from '../errors.js';

/** Space that something takes in a folder, and the environment variable that puts the folder elsewhere. */
export interface Space {
  dir: string;
  megabytes: number;
  setting: string;
}

/**
 * Whether there is room for all of them, before anything is written: a disk that fills up later shows as an etcd or an SQLite
 * that ends without a word. What shares a file system is added up.
 * @throws LabUsageError with one line a file system that is too small, or a folder that cannot be written.
 */
export async function checkSpace(needs: Space[]): Promise<void> {
  const disks = new Map<number, Space[]>();
  for (const need of needs) {
    const { dev } = await stat(existing(need.dir));
    disks.set(dev, [...(disks.get(dev) ?? []), need]);
  }
  const problems: string[] = [];
  for (const shared of disks.values()) {
    const lacking = await tooSmall(shared);
    if (lacking !== undefined) problems.push(lacking);
  }
  if (problems.length > 0) throw new LabUsageError(problems.join('\n'));
  for (const need of needs) await makeFolder(need);
}

async function tooSmall(needs: Space[]): Promise<string | undefined> {
  const stats = await statfs(existing(needs[0]?.dir ?? '/'));
  const free = (stats.bavail * stats.bsize) / 1e6;
  const wanted = needs.reduce((sum, { megabytes }) => sum + megabytes, 0);
  if (free >= wanted) return undefined;
  const unique = (texts: string[]): string => [...new Set(texts)].join(' and ');
  const dirs = unique(needs.map(({ dir }) => dir));
  return `not enough disk space in ${dirs}: ${size(free)} free, ${size(wanted)} needed: free some, or set ${unique(needs.map(({ setting }) => setting))} to where there is more`;
}

async function makeFolder({ dir, setting }: Space): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw new LabUsageError(`cannot write to ${dir} (${messageOf(error)}): set ${setting} to a folder that can be written`);
  });
}

/** The folder itself or the nearest one above it: on a full disk it could not even be made. */
function existing(dir: string): string {
  let at = path.resolve(dir);
  while (!existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
  return at;
}

function size(megabytes: number): string {
  return megabytes < 1000 ? `${String(Math.floor(megabytes))} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}
