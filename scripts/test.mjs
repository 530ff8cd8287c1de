/**
 * Runs the parts of the test suite and ends with one line over all of them: `N passed, N failed`.
 * Without arguments: types lint unit workflow replay lab. With arguments: those parts only (also: full, bench).
 * Types and lint count as one test each. The exit code is 0 only when nothing failed and something ran.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';
import { cache, root } from './lib/paths.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
/** Tools that pass or fail as a whole. */
const TOOLS = {
  types: [bin('tsc'), ['--noEmit']],
  lint: [bin('eslint'), ['.', '--cache', '--cache-location', join(root, 'node_modules/.cache/eslint/')]],
};
/** Projects of vitest.config.ts. */
const PROJECTS = ['unit', 'workflow', 'replay', 'lab', 'full', 'bench'];
/** What no clock watches: one after the other beside the rest, with what that leaves of the processors (a lab waits for a sixth of its time). */
const BESIDE = ['unit', 'types', 'lint'];
const OPTIONS = {
  // Half of its time would go into loading the same modules for every file.
  unit: ['--no-isolate'],
  // They mostly wait for Temporal's timers. Three labs at once are slower than two: what polls them polls longer.
  workflow: ['--maxWorkers=3'],
  // Figures are measured alone.
  bench: ['--no-file-parallelism'],
};
const SUMMARY = fileURLToPath(new URL('lib/summary.mjs', import.meta.url));
/** Of `nice`. */
const PATIENT = 10;
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
const failures = [];
// Go programs (API server, etcd, Temporal, helm) collect their garbage less often: tests lack processors, not memory.
if (!parts.includes('bench')) process.env.GOGC ??= '400';
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
const beside = BESIDE.filter((part) => parts.includes(part));
const ahead = projects.filter((part) => !beside.includes(part));
results.push(...(await Promise.all([inTurn(beside, { patient: ahead.length > 0 }), inTurn(ahead, {})])).flat());

// Once more at the end, where a log that was cut off still has them.
if (failures.length > 0) heading('failed');
for (const failure of failures) console.log(`  ${failure}`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
heading('all');
for (const { part, passed, failed, skipped, seconds } of results) {
  console.log(`  ${part.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
// Less than their sum: some run beside the others.
console.log(`  ${'total'.padEnd(10)} ${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') > 0 || sum('passed') === 0 ? 1 : 0);

function heading(name) {
  console.log(`\n== ${name}`);
}

/** Patient ones run at a low priority and print what they have to say when they are through. */
async function inTurn(names, { patient = false }) {
  const done = [];
  for (const part of names) {
    if (!patient) heading(part);
    const started = Date.now();
    const result = part in TOOLS ? await single(part, patient) : await vitest(part, patient);
    done.push({ part, ...result, seconds: (Date.now() - started) / 1000 });
  }
  return done;
}

async function single(part, patient) {
  const code = await run(part, TOOLS[part], patient);
  if (code !== 0) failures.unshift(`${part}: see above`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function vitest(project, patient) {
  mkdirSync(cache, { recursive: true });
  const output = join(cache, `results-${project}-${process.pid}.json`);
  const options = OPTIONS[project] ?? [];
  const code = await run(project, [bin('vitest'), ['run', '--project', project, ...options, '--reporter=default', `--reporter=${SUMMARY}`, `--outputFile=${output}`]], patient);
  try {
    const { passed, skipped, failed } = JSON.parse(readFileSync(output, 'utf8'));
    if (failed.length === 0 && code !== 0) failed.push(`${project}: vitest ended with ${code}: see above`);
    failures.push(...failed);
    return { passed, failed: failed.length, skipped };
  } catch (error) {
    failures.push(`${project}: vitest ended with ${code} and left no result: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(output, { force: true });
  }
}

function run(part, [command, args], patient) {
  return new Promise((resolve) => {
    const said = patient ? 'pipe' : 'inherit';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', said, said], env: { ...process.env, CI: process.env.CI ?? '1' } });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => chunks.push(chunk));
    if (patient && child.pid !== undefined) setPriority(child.pid, PATIENT);
    const stop = (signal) => child.kill(signal);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      if (patient) {
        heading(part);
        process.stdout.write(Buffer.concat(chunks));
      }
      resolve(code ?? 1);
    });
  });
}
