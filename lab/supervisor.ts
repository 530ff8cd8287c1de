import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from './errors.js';
import { readOptions } from './options.js';
import { identityOf, isAlive } from './process/identity.js';
import { stepBack } from './process/niceness.js';
import { startReaper } from './process/reaper.js';
import { Runtime } from './runtime.js';
import type { LabState } from './state.js';
import { writeState } from './state.js';

/** The process behind a lab: `node supervisor.js DIR BIN PYTHON`. It owns everything that runs, and ends with it. */
async function main(): Promise<void> {
  const [dir, bin, python] = process.argv.slice(2);
  if (dir === undefined || bin === undefined || python === undefined) throw new Error('usage: supervisor DIR BIN PYTHON');
  startReaper();
  const options = readOptions(dir);
  stepBack(options.niceness);
  const started = Date.now();
  const state: LabState = {
    phase: 'starting',
    supervisor: identityOf(process.pid),
    startedAt: new Date(started).toISOString(),
    clusterName: options.name,
    region: options.region,
    toolsDir: bin,
  };
  writeState(dir, state);
  const progress = (line: string): void => appendFileSync(path.join(dir, 'progress.log'), `${line}\n`);
  const runtime = new Runtime({ dir, bin, python, options, progress });

  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await runtime.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  process.on('SIGHUP', () => undefined);
  process.on('unhandledRejection', (error) => appendFileSync(path.join(dir, 'logs', 'glue.log'), `unhandled: ${messageOf(error)}\n`));
  if (options.ownerPid !== undefined) {
    const owner = identityOf(options.ownerPid);
    setInterval(() => {
      if (!isAlive(owner)) void end();
    }, 500).unref();
  }
  try {
    Object.assign(state, await runtime.start());
    writeState(dir, state);
    await runtime.untilReady(options.readyTimeout);
    Object.assign(state, { phase: 'ready', readyAfterMs: Date.now() - started, pids: runtime.pids() });
    writeState(dir, state);
    progress(`ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    writeState(dir, { ...state, phase: 'failed', error: messageOf(error) });
    await runtime.stop();
    process.exit(1);
  }
}

await main();
