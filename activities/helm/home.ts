import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostId } from './attempt.js';

const PREFIX = 'ciliate-helm-';
/** Of another pid namespace that shares the temporary folder a process id says nothing: its folders go by age. */
const STALE_MS = 3_600_000;
let swept: Promise<void> | undefined;

/**
 * A private folder (mode 0700) for one call of helm: its caches, its configuration and its values file, which may hold secrets.
 * Removed afterwards, whatever happened; what a killed worker left is removed by the next one.
 */
export async function withHelmHome<T>(use: (folder: string) => Promise<T>): Promise<T> {
  await (swept ??= sweepHelmHomes());
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${await here()}-${process.pid}-`));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a values file as JSON, which is YAML without its surprises (`no`, 1.20), readable for this user only. Returns its path. */
export async function writeValues(folder: string, values: unknown): Promise<string> {
  const path = join(folder, 'values.json');
  await writeFile(path, JSON.stringify(values), { mode: 0o600 });
  return path;
}

/** Removes the folders of workers that died in the middle of a call; done once a process, before its first call. Never fails. */
export async function sweepHelmHomes(): Promise<void> {
  const host = await here();
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    const [origin, pid] = name.slice(PREFIX.length).split('-');
    const age = Date.now() - (await stat(path).then((found) => found.mtimeMs, () => Date.now()));
    const left = origin === host ? !isAlive(Number(pid)) : age > STALE_MS;
    if (left) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** This boot and pid namespace in eight letters. */
async function here(): Promise<string> {
  return createHash('sha256').update((await hostId()) ?? 'unknown').digest('hex').slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
