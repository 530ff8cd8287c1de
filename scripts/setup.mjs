/** What `./ciliate` does first when something is missing: `npm ci`, then the build. Says so on stderr; stdout stays the command's. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { diskFull, tooSmall } from './lib/disk.mjs';
import { installed, modulesExist } from './lib/installed.mjs';
import { withLock } from './lib/lock.mjs';
import { cache, root } from './lib/paths.mjs';

/** node_modules takes 510 MB; the build adds what it makes. */
const MODULES_MB = 600;
const BUILD_MB = 30;

const say = (line) => process.stderr.write(`ciliate: ${line}\n`);

/** Ends with one line that says what to install or to free. */
function fail(line) {
  say(line);
  process.exit(2);
}

function needSpace(megabytes) {
  const lacking = tooSmall(root, megabytes);
  if (lacking !== undefined) fail(lacking);
}

async function install() {
  if (installed()) return;
  needSpace(MODULES_MB);
  say(modulesExist() ? 'node_modules is older than package-lock.json, running npm ci …' : 'first run in this checkout, running npm ci …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 'pipe'], encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (npm.error !== undefined) fail(`npm cannot be run: ${npm.error.message}; install Node.js >= 20.3 with npm`);
  if (npm.status === 0) return;
  const full = diskFull(npm.stderr, root);
  if (full !== undefined) fail(full);
  process.stderr.write(npm.stderr);
  fail('npm ci failed (see above)');
}

async function setUp() {
  // Outside node_modules, which `npm ci` removes.
  const lock = join(tmpdir(), `ciliate-npm-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`);
  if (!installed()) await withLock(lock, install);
  const { buildAll, upToDate } = await import('./build.mjs');
  if (!upToDate()) needSpace(BUILD_MB);
  mkdirSync(cache, { recursive: true });
  const now = new Date();
  utimesSync(join(root, 'node_modules', '.package-lock.json'), now, now);
  if (upToDate()) return;
  say('building …');
  await buildAll().catch((error) => fail(diskFull(error.message, root) ?? `the build failed: ${error.message}`));
}

await setUp().catch((error) => fail(diskFull(`${error.code} ${error.message}`, error.path ?? root) ?? error.message));
