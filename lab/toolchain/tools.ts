import { mkdir, statfs } from 'node:fs/promises';
import { execa } from 'execa';
import { LabUsageError, messageOf } from '../errors.js';
import { cacheRoot } from '../paths.js';

type Version = [major: number, minor: number];

/**
 * Whether this machine can run a lab at all: Node, Python, and some disk. Go is only asked for when something must be built.
 * @throws LabUsageError with one line a thing that is missing.
 */
export async function checkTools(): Promise<void> {
  const problems: string[] = [];
  for (const check of [checkNode, findPython, () => checkDisk(cacheRoot(), 2)]) {
    try {
      await check();
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (problems.length > 0) throw new LabUsageError(problems.join('\n'));
}

async function checkNode(): Promise<void> {
  const version = parse(process.version);
  if (!atLeast(version, [20, 3])) throw new LabUsageError(`Node.js >= 20.3 is needed, this is ${process.version}: install a newer one`);
  return Promise.resolve();
}

/** @throws LabUsageError unless `go` is on PATH and is 1.26 or newer. */
export async function checkGo(): Promise<void> {
  // The toolchain that `go` would switch to counts, so ask outside any module.
  const result = await execa('go', ['env', 'GOVERSION'], { reject: false, cwd: '/' }).catch(() => undefined);
  const seen = result === undefined || result.failed ? undefined : result.stdout.trim();
  if (seen === undefined || seen === '') throw new LabUsageError('Go >= 1.26 is needed to build the control plane once: install it and put `go` on PATH');
  if (!atLeast(parse(seen), [1, 26])) throw new LabUsageError(`Go >= 1.26 is needed to build the control plane once, found ${seen}: install a newer one`);
}

/**
 * The command of a Python that moto can run on.
 * @throws LabUsageError when there is none.
 */
export async function findPython(): Promise<string> {
  const names = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  const seen: string[] = [];
  for (const name of names) {
    const result = await execa(name, ['-c', 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'], { reject: false }).catch(() => undefined);
    if (result === undefined || result.failed) continue;
    if (atLeast(parse(result.stdout), [3, 10])) return name;
    seen.push(`${name} is ${result.stdout.trim()}`);
  }
  const found = seen.length > 0 ? `, found ${seen.join(', ')}` : '';
  throw new LabUsageError(`Python >= 3.10 with venv is needed for the AWS stand-in${found}: install python3 and python3-venv`);
}

/** @throws LabUsageError when less than `gigabytes` are free where `dir` is. */
export async function checkDisk(dir: string, gigabytes: number): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw new LabUsageError(`cannot write to ${dir} (${messageOf(error)}): set CILIATE_CACHE to a folder that can be written`);
  });
  const stats = await statfs(dir);
  const free = (stats.bavail * stats.bsize) / 1e9;
  if (free < gigabytes) {
    throw new LabUsageError(`${dir}: ${free.toFixed(1)} GB free, ${String(gigabytes)} GB are needed: free some disk or set CILIATE_CACHE elsewhere`);
  }
}

function parse(text: string): Version {
  const match = /(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

function atLeast(seen: Version, wanted: Version): boolean {
  return seen[0] > wanted[0] || (seen[0] === wanted[0] && seen[1] >= wanted[1]);
}
