/**
 * Runs the parts of the test suite one after the other and ends with one line over all of them: `N passed, N failed`.
 * Without arguments: types lint unit workflow replay lab. With arguments: those parts only (also: full, bench).
 * Types and lint count as one test each. The exit code is 0 only when nothing failed and something ran.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { prepare } from './prepare.mjs';
import { cache, root } from './lib/paths.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const PARTS = {
  types: () => single(bin('tsc'), ['--noEmit']),
  lint: () => single(bin('eslint'), ['.', '--cache', '--cache-location', join(root, 'node_modules/.cache/eslint/')]),
  unit: () => vitest('unit'),
  workflow: () => vitest('workflow'),
  replay: () => vitest('replay'),
  lab: () => vitest('lab'),
  full: () => vitest('full'),
  // Figures are measured alone.
  bench: () => vitest('bench', '--no-file-parallelism'),
};
const DEFAULT = ['types', 'lint', 'unit', 'workflow', 'replay', 'lab'];
/** Only these need Temporal or the lab. */
const NEEDS_SERVERS = ['unit', 'workflow', 'replay', 'lab', 'full', 'bench'];

const parts = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
const unknown = parts.filter((part) => !(part in PARTS));
if (unknown.length > 0) {
  process.stderr.write(`expected parts out of ${Object.keys(PARTS).join(', ')}, saw ${unknown.join(', ')}\n`);
  process.exit(2);
}

const results = [];
if (parts.some((part) => NEEDS_SERVERS.includes(part))) {
  heading('set-up');
  const started = Date.now();
  try {
    const { tools } = await prepare();
    // Tests on real charts need helm; the lab brings one.
    process.env.PATH = `${process.env.PATH}${delimiter}${tools}`;
    results.push({ part: 'set-up', passed: 0, failed: 0, skipped: 0, seconds: (Date.now() - started) / 1000 });
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
for (const part of parts) {
  heading(part);
  const started = Date.now();
  const counts = await PARTS[part]();
  results.push({ part, ...counts, seconds: (Date.now() - started) / 1000 });
}

const sum = (key) => results.reduce((total, result) => total + result[key], 0);
heading('all');
for (const { part, passed, failed, skipped, seconds } of results) {
  console.log(`  ${part.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
console.log(`  ${'total'.padEnd(10)} ${sum('seconds').toFixed(1).padStart(7)} s`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') > 0 || sum('passed') === 0 ? 1 : 0);

function heading(name) {
  console.log(`\n== ${name}`);
}

/** A tool that passes or fails as a whole. */
async function single(command, args) {
  const code = await run(command, args);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function vitest(project, ...options) {
  if (!existsSync(join(root, 'test', project))) {
    console.log(`  no test/${project} yet`);
    return { passed: 0, failed: 0, skipped: 0 };
  }
  mkdirSync(cache, { recursive: true });
  const output = join(cache, `results-${project}-${process.pid}.json`);
  const code = await run(bin('vitest'), ['run', '--project', project, ...options, '--reporter=default', '--reporter=json', `--outputFile.json=${output}`]);
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(output, 'utf8'));
    // A file that could not be loaded, or whose set-up failed, has no failed test of its own.
    const brokenFiles = testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')).length;
    const failed = numFailedTests + brokenFiles;
    // An unhandled error fails the run without failing a test.
    return { passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(output, { force: true });
  }
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CI: process.env.CI ?? '1' } });
    const stop = (signal) => child.kill(signal);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve(code ?? 1);
    });
  });
}
