import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.js';
import { identityOf, isAlive, parseIdentity } from '../process/identity.js';

/**
 * Runs `work` while holding `lockFile`, so two `lab up`s at once build once. A lock whose process is gone is taken over:
 * a killed build must not block the next one.
 * @param onWait called once when somebody else holds the lock.
 */
export async function withLock<T>(lockFile: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(lockFile), { recursive: true });
  let told = false;
  while (!(await tryTake(lockFile))) {
    if (!told) onWait();
    told = true;
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function tryTake(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, JSON.stringify(identityOf(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const holder = parseIdentity(await readFile(lockFile, 'utf8').catch(() => ''));
  if (holder === undefined) {
    // Either being written just now or left torn by a crash: give the writer a moment, then look again.
    await sleep(200);
    if (parseIdentity(await readFile(lockFile, 'utf8').catch(() => '')) === undefined) await rm(lockFile, { force: true });
    return false;
  }
  if (!isAlive(holder)) await rm(lockFile, { force: true });
  return false;
}
