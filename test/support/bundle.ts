import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger } from '@temporalio/worker';
import { workflowBundle } from '../../worker/bundle.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'ciliate');
const PREFIX = 'test-bundle-';
const DAY_MS = 24 * 3_600_000;

/** The workflow code of the checkout as it is now. Webpack takes seconds of every file of tests, so what it made is kept, by what went in. */
export async function bundleWorkflows(): Promise<{ codePath: string }> {
  const codePath = join(cache, `${PREFIX}${digest(['workflows', 'domain', 'activities', 'worker', 'package-lock.json'])}.js`);
  if (existsSync(codePath)) return { codePath };
  const bundle = await workflowBundle({ logger: new DefaultLogger('ERROR') });
  if (!('code' in bundle)) throw new Error(`expected workflow code bundled from the source, saw ${JSON.stringify(bundle)}`);
  mkdirSync(cache, { recursive: true });
  const begun = `${codePath}.${randomUUID()}`;
  writeFileSync(begun, bundle.code);
  renameSync(begun, codePath);
  return { codePath };
}

function digest(inputs: string[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const path = join(root, input);
    const files = statSync(path).isFile() ? [input] : readdirSync(path, { recursive: true, encoding: 'utf8' }).sort().map((name) => join(input, name));
    for (const file of files.filter((name) => /\.(ts|json)$/.test(name))) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex').slice(0, 24);
}

/** Set-up of whole projects of tests (vitest.config.ts): the bundle is there before two files want it at once. */
export default async function setup(): Promise<void> {
  if (existsSync(cache)) {
    const old = readdirSync(cache).filter((name) => name.startsWith(PREFIX) && Date.now() - statSync(join(cache, name)).mtimeMs > DAY_MS);
    for (const name of old) rmSync(join(cache, name), { force: true });
  }
  await bundleWorkflows();
}
