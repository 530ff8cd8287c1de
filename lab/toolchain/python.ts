import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { LabUsageError } from '../errors.js';
import { assetsRoot, cacheRoot } from '../paths.js';
import type { OnProgress } from './controlplane.js';
import { withLock } from './lock.js';
import { checkSpace } from './disk.js';
import { findPython } from './tools.js';

/**
 * The Python of a virtual environment that holds moto (pinned in lab/aws/requirements.txt); made when the cache has none.
 * A venv cannot be moved after it is made (its scripts hold absolute paths), so completeness is a marker file, not a rename.
 * @throws LabUsageError when Python or the packages cannot be had.
 */
export async function ensurePython(onProgress: OnProgress): Promise<string> {
  const requirements = path.join(assetsRoot(), 'aws', 'requirements.txt');
  const interpreter = await findPython();
  const version = (await execa(interpreter, ['--version'])).stdout;
  const hash = createHash('sha256').update(await readFile(requirements)).update(version).update(process.arch).digest('hex').slice(0, 16);
  const root = path.join(cacheRoot(), 'python');
  const target = path.join(root, hash);
  const python = path.join(target, 'bin', 'python');
  const complete = path.join(target, '.complete');
  if (existsSync(complete)) return python;

  await withLock(`${target}.lock`, () => onProgress('another process is installing moto: waiting for it'), async () => {
    if (existsSync(complete)) return;
    await checkSpace([
      { dir: root, megabytes: 500, setting: 'CILIATE_CACHE' },
      { dir: tmpdir(), megabytes: 200, setting: 'TMPDIR' },
    ]);
    onProgress('installing the AWS stand-in (moto) into a virtual environment, once (about half a minute)');
    await rm(target, { recursive: true, force: true });
    const made = await execa(interpreter, ['-m', 'venv', target], { reject: false });
    if (made.failed) throw new LabUsageError(`${interpreter} -m venv failed (install python3-venv): ${lastLine(made.stderr)}`);
    const installed = await execa(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], { reject: false });
    if (installed.failed) throw new LabUsageError(`moto cannot be installed with pip: ${lastLine(installed.stderr)}`);
    await execa(python, ['-m', 'compileall', '-q', path.join(target, 'lib')], { reject: false });
    await writeFile(complete, '');
  });
  return python;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
