import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheRoot } from '../../../lab/index.js';
import { withLock } from '../../../lab/toolchain/lock.js';
import { findPython } from '../../../lab/toolchain/tools.js';
import { EKS_ROLLING_UPDATE_PINS } from './script.js';

/**
 * The command eks-rolling-update, out of PyPI in a virtual environment of its own, kept in the cache outside the checkout.
 * @throws Error where it cannot be had; the benchmark then goes on without it.
 */
export async function eksRollingUpdateCommand(): Promise<string> {
  const interpreter = await findPython();
  const version = (await execa(interpreter, ['--version'])).stdout;
  const hash = createHash('sha256').update(await readFile(EKS_ROLLING_UPDATE_PINS)).update(version).update(process.arch).digest('hex').slice(0, 16);
  const target = join(cacheRoot(), 'eks-rolling-update', hash);
  // A venv cannot be moved once it is made, so a marker says that it is complete.
  const complete = join(target, '.complete');
  const command = join(target, 'bin', 'eks_rolling_update.py');
  if (existsSync(complete)) return command;
  await withLock(`${target}.lock`, () => console.log('another process is installing eks-rolling-update: waiting for it'), async () => {
    if (existsSync(complete)) return;
    await rm(target, { recursive: true, force: true });
    await run(interpreter, ['-m', 'venv', target]);
    await run(join(target, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes', '-r', EKS_ROLLING_UPDATE_PINS]);
    await writeFile(complete, '');
  });
  return command;
}

async function run(command: string, args: string[]): Promise<void> {
  const { failed, stderr } = await execa(command, args, { reject: false });
  if (failed) throw new Error(`eks-rolling-update cannot be installed: ${stderr.trim().split('\n').at(-1) ?? command}`);
}
