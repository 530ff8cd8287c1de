/** What `./ciliate` does first when something is missing: `npm ci`, then the build. Says so on stderr; stdout stays the command's. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { installed, modulesExist } from './lib/installed.mjs';
import { withLock } from './lib/lock.mjs';
import { cache, root } from './lib/paths.mjs';

const say = (line) => process.stderr.write(`ciliate: ${line}\n`);

// Outside node_modules, which `npm ci` removes.
const lock = join(tmpdir(), `ciliate-npm-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`);
if (!installed()) {
  await withLock(lock, async () => {
    if (installed()) return;
    say(modulesExist() ? 'node_modules is older than package-lock.json, running npm ci …' : 'first run in this checkout, running npm ci …');
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
    if (npm.status !== 0) {
      say(npm.error === undefined ? 'npm ci failed (see above)' : `npm cannot be run: ${npm.error.message}; install Node.js >= 20.3 with npm`);
      process.exit(2);
    }
  });
}
mkdirSync(cache, { recursive: true });
const now = new Date();
utimesSync(join(root, 'node_modules', '.package-lock.json'), now, now);

const { buildAll, upToDate } = await import('./build.mjs');
if (!upToDate()) {
  say('building …');
  try {
    await buildAll();
  } catch (error) {
    say(`the build failed: ${error.message}`);
    process.exit(2);
  }
}
