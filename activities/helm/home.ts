import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'ciliate-helm-';
/** Folders younger than this are left alone: a worker in another pid namespace may share the temporary folder. */
const STALE_MS = 3_600_000;

/**
 * A private folder (mode 0700) for one call of helm: its caches, its configuration and its values file, which may hold secrets.
 * Removed afterwards, whatever happened; what a killed worker left is removed by the next one.
 */
export async function withHelmHome<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
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

/** Removes the folders of workers that died in the middle of a call. Never fails. */
export async function sweepHelmHomes(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    const age = Date.now() - (await stat(path).then((found) => found.mtimeMs, () => Date.now()));
    if (!isAlive(pid) && age > STALE_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
