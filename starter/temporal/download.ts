import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Runtime } from '@temporalio/worker';
import { cacheFolder } from '../paths.js';

/**
 * Temporal's CLI by the SDK's own download. The SDK only downloads in order to start a server, so one is started and stopped.
 * @throws Error when the download does not work (behind a firewall, say)
 */
export async function temporalFromSdk(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), 'temporal-sdk-download');
  const before = binaryIn(folder);
  if (before !== undefined) return before;
  say(`downloading Temporal's CLI with the SDK into ${folder} …`);
  mkdirSync(folder, { recursive: true });
  const runtime = Runtime.instance();
  const server = await runtime.createEphemeralServer({
    type: 'dev-server',
    exe: { type: 'cached-download', downloadDir: folder, version: 'default', ttl: 365 * 86_400_000, sdkName: 'sdk-typescript', sdkVersion: '1.24.0' },
    namespace: 'default', ip: '127.0.0.1', port: null, uiPort: null, dbFilename: null, ui: false,
    log: { format: 'pretty', level: 'error' }, extraArgs: [],
  });
  await runtime.shutdownEphemeralServer(server);
  const binary = binaryIn(folder);
  if (binary === undefined) throw new Error(`the SDK's download left no binary in ${folder}`);
  chmodSync(binary, 0o755);
  return binary;
}

function binaryIn(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => /^temporal/.test(name))
    .map((name) => join(folder, name))
    .find((path) => statSync(path).isFile() && statSync(path).size > 1_000_000);
}
