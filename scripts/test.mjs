/**
 * Runs the parts of the test suite and ends with one line over all of them: `N passed, N failed`.
 * Without arguments: types lint unit workflow replay lab. With arguments: those parts only (also: full, bench).
 * Types and lint count as one test each. The exit code is 0 only when nothing failed and something ran.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { prepare } from './prepare.mjs';
import { cache, root } from './lib/paths.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
/** Tools that pass or fail as a whole, side by side. */
const TOOLS = {
  types: [bin('tsc'), ['--noEmit']],
  lint: [bin('eslint'), ['.', '--cache', '--cache-location', join(root, 'node_modules/.cache/eslint/')]],
};
/** Projects of vitest.config.ts; those that are asked for run together, so that one's waiting is another's time. */
const PROJECTS = ['unit', 'workflow', 'replay', 'lab', 'full', 'bench'];
const PARTS = [...Object.keys(TOOLS), ...PROJECTS];
const DEFAULT = ['types', 'lint', 'unit', 'workflow', 'replay', 'lab'];

const parts = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
const unknown = parts.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  process.stderr.write(`expected parts out of ${PARTS.join(', ')}, saw ${unknown.join(', ')}\n`);
  process.exit(2);
}

const began = Date.now();
const results = [];
// Go programs (API server, etcd, Temporal, helm) collect their garbage less often: tests lack processors, not memory.
process.env.GOGC ??= '400';
const projects = PROJECTS.filter((part) => parts.includes(part));
if (projects.length > 0) {
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
const tools = Object.keys(TOOLS).filter((part) => parts.includes(part));
if (tools.length > 0) {
  heading(tools.join(', '));
  results.push(...(await Promise.all(tools.map(single))));
}
if (projects.length > 0) {
  heading(projects.join(', '));
  results.push(...(await vitest(projects)));
}

const sum = (key) => results.reduce((total, result) => total + result[key], 0);
heading('all');
for (const { part, passed, failed, skipped, seconds } of results) {
  console.log(`  ${part.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
// Parts run side by side: their seconds overlap.
console.log(`  ${'total'.padEnd(10)} ${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') > 0 || sum('passed') === 0 ? 1 : 0);

function heading(name) {
  console.log(`\n== ${name}`);
}

async function single(part) {
  const started = Date.now();
  const code = await run(...TOOLS[part]);
  return { part, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, seconds: (Date.now() - started) / 1000 };
}

/** One run of vitest over projects; a result for each, from its first test's start to its last one's end. */
async function vitest(names) {
  mkdirSync(cache, { recursive: true });
  const output = join(cache, `results-${process.pid}.json`);
  // Figures are measured alone.
  const options = names.includes('bench') ? ['--no-file-parallelism'] : [];
  const code = await run(bin('vitest'), ['run', ...names.flatMap((name) => ['--project', name]), ...options, '--reporter=default', '--reporter=json', `--outputFile.json=${output}`]);
  try {
    const { testResults } = JSON.parse(readFileSync(output, 'utf8'));
    const counted = names.map((name) => ({ part: name, ...count(testResults.filter((file) => file.name.startsWith(join(root, 'test', name, '/')))) }));
    // An unhandled error fails the run without failing a test.
    if (code !== 0 && counted.every(({ failed }) => failed === 0)) counted[0].failed = 1;
    return counted;
  } catch {
    return names.map((part) => ({ part, passed: 0, failed: 1, skipped: 0, seconds: 0 }));
  } finally {
    rmSync(output, { force: true });
  }
}

function count(files) {
  const tests = files.flatMap((file) => file.assertionResults);
  const of = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  // A file that could not be loaded, or whose set-up failed, has no failed test of its own.
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')).length;
  const ran = files.filter((file) => file.endTime > file.startTime);
  const seconds = ran.length === 0 ? 0 : (Math.max(...ran.map(({ endTime }) => endTime)) - Math.min(...ran.map(({ startTime }) => startTime))) / 1000;
  return { passed: of('passed'), failed: of('failed') + broken, skipped: of('pending', 'skipped', 'todo'), seconds };
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
