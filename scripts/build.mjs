/**
 * Transpiles every .ts of the product into dist/ (ESM, same layout), bundles the workflow code and the big clients, generates schemas/.
 * A build that is up to date does nothing; two builds at once wait for each other. `--force` builds anyway.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { withLock } from './lib/lock.mjs';
import { cache, dist, root, SOURCE_FOLDERS } from './lib/paths.mjs';
import { filesBelow, mirror, newestBelow } from './lib/tree.mjs';
import { vendor } from './lib/vendor.mjs';

const stamp = join(dist, '.stamp');
const stage = join(cache, 'stage');

export function upToDate() {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  const inputs = [...SOURCE_FOLDERS.map((dir) => join(root, dir)), join(root, 'scripts')].map(newestBelow);
  inputs.push(statSync(join(root, 'package.json')).mtimeMs);
  return Math.max(...inputs) <= built;
}

async function transpile() {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const entryPoints = SOURCE_FOLDERS.flatMap((dir) => filesBelow(join(root, dir)).map((file) => join(dir, file)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('node_modules'));
  await build({
    absWorkingDir: root, entryPoints, outdir: stage, outbase: root,
    bundle: false, format: 'esm', platform: 'node', target: 'node20', logLevel: 'error',
  });
  // The one CommonJS file there is: Temporal loads it with `require`.
  cpSync(join(root, 'worker', 'failure-converter.cjs'), join(stage, 'worker', 'failure-converter.cjs'));
}

/** Seconds of webpack, so only when something that goes into the bundle has changed. */
async function bundleWorkflows() {
  const entry = join(stage, 'workflows', 'index.js');
  if (!existsSync(entry)) return;
  const { default: worker } = await import('@temporalio/worker');
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@temporalio/worker/package.json'), 'utf8'));
  const key = digest(['workflows', 'domain', 'activities', 'worker'], [version, readFileSync(join(root, 'package-lock.json'), 'utf8')]);
  const before = join(cache, `workflow-bundle-${key}.js`);
  if (!existsSync(before)) {
    const quiet = new worker.DefaultLogger('WARN');
    const { workflowBundle } = await import(`${pathToFileURL(join(stage, 'worker', 'bundle.js')).href}?t=${Date.now()}`);
    const { code } = await workflowBundle({ logger: quiet });
    for (const old of filesBelow(cache)) if (/^workflow-bundle-.*\.js$/.test(old)) rmSync(join(cache, old), { force: true });
    writeFileSync(before, code);
  }
  writeFileSync(join(stage, 'workflow-bundle.js'), readFileSync(before));
}

function digest(folders, extra) {
  const hash = createHash('sha256');
  for (const text of extra) hash.update(text);
  for (const folder of folders) {
    for (const file of filesBelow(join(stage, folder))) hash.update(`\0${folder}/${file}\0`).update(readFileSync(join(stage, folder, file)));
  }
  return hash.digest('hex').slice(0, 24);
}

/** From the built code, so that a schema can never say something else than the program. */
async function writeSchemas() {
  const { SCHEMAS } = await import(`${pathToFileURL(join(dist, 'starter/spec/schemas.js')).href}?t=${Date.now()}`);
  mkdirSync(join(root, 'schemas'), { recursive: true });
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const text = `${JSON.stringify(schema(), null, 2)}\n`;
    const path = join(root, 'schemas', name);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
}

export async function buildAll({ force = false } = {}) {
  if (!force && upToDate()) return false;
  let built = false;
  await withLock(join(cache, 'build.lock'), async () => {
    if (!force && upToDate()) return;
    const started = new Date();
    await transpile();
    await bundleWorkflows();
    await vendor({ stage, cache, root });
    writeFileSync(join(stage, '.stamp'), '');
    mirror(stage, dist);
    await writeSchemas();
    // The start of the build, so that what was edited meanwhile is built next time.
    utimesSync(stamp, started, started);
    built = true;
  });
  return built;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildAll({ force: process.argv.includes('--force') });
}
