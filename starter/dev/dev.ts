import { join, resolve } from 'node:path';
import { temporalConfig } from '../../worker/config.js';
import { startWorker } from '../../worker/main.js';
import type { RunningWorker } from '../../worker/main.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { stateFolder } from '../paths.js';
import { startTemporal } from '../temporal/server.js';
import type { TemporalServer } from '../temporal/server.js';
import { untilStopped } from './stop.js';

export interface DevOptions {
  port: number;
  uiPort: number;
  db?: string;
  metrics?: string;
}

const say = (line: string): void => console.error(line);

/**
 * Temporal's dev server and a worker until Ctrl-C, or until one of them dies. With TEMPORAL_ADDRESS set only the worker: a
 * server is there already.
 */
export async function dev(options: DevOptions): Promise<ExitCode> {
  const stopped = untilStopped();
  const server = process.env['TEMPORAL_ADDRESS'] === undefined ? await startServer(options, stopped.stop) : undefined;
  let worker: RunningWorker | undefined;
  try {
    const config = temporalConfig();
    const temporal = server === undefined ? config : { ...config, address: server.address, connection: { address: server.address } };
    worker = await startWorker({ temporal, signals: false, ...(options.metrics === undefined ? {} : { metrics: options.metrics }) });
    worker.ended.then(() => stopped.stop('the worker ended'), (error: Error) => stopped.stop(`the worker died: ${error.message}`));
    say(`worker ready; try: ciliate start -f SPEC --watch   (Ctrl-C stops ${server === undefined ? 'the worker' : 'both'})`);
    const why = await stopped.reason;
    say(why.bySignal ? 'stopping …' : why.text);
    return why.bySignal ? EXIT.done : EXIT.failed;
  } finally {
    // The worker first: it still has something to tell the server.
    await worker?.stop().catch(() => {});
    await server?.stop();
  }
}

async function startServer(options: DevOptions, onDeath: (why: string) => void): Promise<TemporalServer> {
  const dbFile = options.db === undefined ? join(stateFolder(), 'dev', 'temporal.db') : resolve(options.db);
  const server = await startTemporal({
    dbFile,
    ports: { grpc: options.port, ui: options.uiPort },
    say,
    onExit: (code) => onDeath(`Temporal's dev server ended by itself (code ${code})`),
  });
  say(`Temporal   ${server.address}   database ${dbFile}`);
  say(`UI         ${server.uiUrl}/namespaces/default/workflows`);
  if (server.port !== 7233) say(`export TEMPORAL_ADDRESS=${server.address}`);
  return server;
}
