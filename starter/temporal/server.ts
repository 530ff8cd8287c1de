import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { ExitError, EXIT } from '../exit.js';
import { leash } from '../leash.js';
import { findTemporal } from './discover.js';
import { portFor } from './ports.js';

export interface TemporalOptions {
  /** SQLite file; in memory where absent. */
  dbFile?: string;
  /** Absent or 0: any free port. */
  ports?: { grpc?: number; ui?: number };
  /** Further arguments of `temporal server start-dev`. */
  args?: string[];
  /** Told what takes long (a download). */
  say?: (line: string) => void;
  /** Called when the server ends by itself. */
  onExit?: (code: number | null) => void;
}

/** A dev server that runs. Start it again with the same dbFile and ports and its runs go on. */
export interface TemporalServer {
  address: string;
  port: number;
  uiPort: number;
  uiUrl: string;
  pid: number;
  /** SIGTERM, and SIGKILL after 10 s. */
  stop(): Promise<void>;
  /** SIGKILL: for tests of durability. */
  kill(): Promise<void>;
  /** Leaves it running when this process ends. */
  detach(): void;
}

const LOOPBACK = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;

const ATTEMPTS = 5;

/**
 * Starts Temporal's dev server on loopback and waits until it answers. A port that was free a moment ago may be taken when the server
 * comes to it: where nobody asked for that very port, another will do.
 * @throws ExitError (2) when there is no binary, a port is taken or the server does not come up
 */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const anyPort = (options.ports?.grpc ?? 0) === 0 && (options.ports?.ui ?? 0) === 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      const taken = error instanceof ExitError && /address already in use/.test(error.message);
      if (!taken || !anyPort || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnce(options: TemporalOptions): Promise<TemporalServer> {
  const { path } = await findTemporal(options.say);
  const port = await portFor(options.ports?.grpc ?? 0, { what: 'Temporal', option: '--port' });
  const uiPort = await portFor(options.ports?.ui ?? 0, { what: "Temporal's UI", option: '--ui-port' });
  if (options.dbFile !== undefined) mkdirSync(dirname(options.dbFile), { recursive: true });

  const args = ['server', 'start-dev', '--ip', LOOPBACK, '--port', `${port}`, '--ui-port', `${uiPort}`];
  args.push('--log-level', 'error', '--log-format', 'json', '--dynamic-config-value', 'matching.enableFairness=true', '--dynamic-config-value', 'system.enableActivityEagerExecution=true');
  args.push(...(options.args ?? []));
  // SQLite's own default journal writes every page twice, with every commit waiting for the disk more than once: a big migration
  // then waits for the database. A commit in the write-ahead log is on the disk all the same (synchronous stays FULL).
  if (options.dbFile !== undefined) args.push('--db-filename', options.dbFile, '--sqlite-pragma', 'journal_mode=wal');
  const log = logFile(options.dbFile);
  // A process group of its own: Ctrl-C reaches us only, and we stop the worker before the server. Its errors go to a file, not
  // to a pipe: a server that outlives us (demo --keep) must not die of a broken one.
  const child = spawn(path, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
  closeSync(log.fd);
  const letGo = leash(child);
  try {
    await untilAnswers(child, { port, errors: log.last });
  } catch (error) {
    log.remove();
    throw error;
  }
  child.once('exit', (code) => options.onExit?.(code));

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.removeAllListeners('exit');
    letGo();
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(force);
    }
    log.remove();
  };
  return {
    address: `${LOOPBACK}:${port}`,
    port,
    uiPort,
    uiUrl: `http://${LOOPBACK}:${uiPort}`,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    detach: () => {
      letGo();
      child.unref();
    },
  };
}

/** A file for what the server says, beside its database; its last line is the reason when it does not start. */
function logFile(dbFile: string | undefined): { fd: number; last: () => string; remove: () => void } {
  const file = dbFile === undefined ? join(mkdtempSync(join(tmpdir(), 'ciliate-temporal-')), 'server.log') : `${dbFile}.log`;
  return {
    fd: openSync(file, 'w'),
    last: () => {
      const lines = readFileSync(file, 'utf8').trim().split('\n').filter((line) => line !== '');
      return lines.length === 0 ? '' : `: ${(lines.find((line) => /error|unable|fatal/i.test(line)) ?? lines.at(-1) ?? '').slice(0, 300)}`;
    },
    remove: () => rmSync(dbFile === undefined ? dirname(file) : file, { recursive: true, force: true }),
  };
}

async function untilAnswers(child: ChildProcess, { port, errors }: { port: number; errors: () => string }): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => (failure ??= `it ended with code ${code}${errors()}`));
  while (Date.now() < deadline) {
    if (failure !== undefined) throw new ExitError(EXIT.usage, `Temporal's dev server did not start: ${failure}`);
    // The port is open before the frontend is healthy.
    if ((await accepts(port)) && (await isHealthy(port))) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new ExitError(EXIT.usage, `Temporal's dev server did not answer on port ${port} within ${START_TIMEOUT_MS / 1000} s${errors()}`);
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address: `${LOOPBACK}:${port}`, connectTimeout: '2s' });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}
