import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failedError } from '../exit.js';
import { leash } from '../leash.js';
import { packageRoot } from '../paths.js';

export interface WorkerProcess {
  pid: number;
  /** Set when it ended by itself. */
  died(): string | undefined;
  stop(): Promise<void>;
  detach(): void;
}

const READY = '"worker started"';
const READY_MS = 60_000;

/** A worker in a process of its own, as in production: it can be killed without taking the demo along, and goes with it. Logs go to a file. */
export function startWorkerProcess(env: NodeJS.ProcessEnv, logFile: string, args: readonly string[] = []): WorkerProcess {
  const log = openSync(logFile, 'a');
  const bin = join(packageRoot(), 'dist', 'starter', 'bin.js');
  const child = spawn(process.execPath, [bin, 'worker', ...args], { env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const letGo = leash(child);
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `ended with ${signal ?? code}, see ${logFile}`));
  return {
    pid: child.pid ?? 0,
    died: () => ended,
    stop: () => stop(child),
    detach: () => {
      letGo();
      child.unref();
    },
  };
}

/** Returns when the worker polls Temporal. @throws ExitError (1) when it does not get there */
export async function untilReady(worker: WorkerProcess, logFile: string): Promise<void> {
  for (const started = Date.now(); Date.now() - started < READY_MS; await sleep(100)) {
    const died = worker.died();
    if (died !== undefined) throw failedError(`the worker died: ${died}\n${lastLine(logFile)}`);
    if (readFileSync(logFile, 'utf8').includes(READY)) return;
  }
  throw failedError(`the worker was not ready after ${READY_MS / 1000} s\n${lastLine(logFile)}`);
}

function lastLine(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').at(-1) ?? '';
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(force);
}
