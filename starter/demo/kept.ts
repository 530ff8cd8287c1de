import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopLab } from '../../lab/index.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { stateFolder } from '../paths.js';

/** What a demo with --keep left up: enough to stop it later. */
export interface Kept {
  name: string;
  lab: string;
  folder: string;
  /** Worker first, then Temporal: a worker still has something to tell its server. */
  pids: number[];
}

const folder = (): string => join(stateFolder(), 'demos');

/** Remembers it. */
export function keep(kept: Kept): void {
  mkdirSync(folder(), { recursive: true });
  writeFileSync(join(folder(), `${kept.name}.json`), JSON.stringify(kept));
}

/** Stops all of them. */
export async function stopKept(): Promise<ExitCode> {
  const files = existsSync(folder()) ? readdirSync(folder()) : [];
  if (files.length === 0) console.log('no demo was left up');
  for (const file of files) {
    const kept = JSON.parse(readFileSync(join(folder(), file), 'utf8')) as Kept;
    for (const pid of kept.pids) await end(pid);
    await stopLab(kept.lab).catch((error: Error) => console.error(`lab ${kept.lab}: ${error.message}`));
    rmSync(kept.folder, { recursive: true, force: true });
    rmSync(join(folder(), file), { force: true });
    console.log(`stopped ${kept.name}`);
  }
  return EXIT.done;
}

async function end(pid: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!send(pid, signal)) return;
    for (let waited = 0; waited < 50; waited++) {
      if (!send(pid, 0)) return;
      await sleep(100);
    }
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
