import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { usageError } from '../exit.js';

const LOOPBACK = '127.0.0.1';

/** A port nobody listens on right now. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/**
 * `wanted`, or a free port for 0.
 * @throws ExitError (2) that says which port is taken, what for, and how to choose another
 */
export async function portFor(wanted: number, use: { what: string; option: string }): Promise<number> {
  try {
    return await listenOnce(wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw usageError(`port ${wanted} for ${use.what} is taken: stop what listens there, or choose another with ${use.option} PORT (0: any free one)`);
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const { port: got } = server.address() as AddressInfo;
      server.close(() => resolve(got));
    });
  });
}
