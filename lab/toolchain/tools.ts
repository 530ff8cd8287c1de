import { execa } from 'execa';
import { LabUsageError, messageOf } from '../errors.js';
import { labsRoot, labsSetting } from '../paths.js';
import { checkSpace } from './disk.js';
import type { Space } from './disk.js';

type Version = [major: number, minor: number];

/** What a lab's folder takes: etcd reserves 128 MB for its log at once, and 64 MB more whenever it has filled some. */
const LAB_MB = 400;

/**
 * Whether this machine can run a lab at all: Node, Python, and some disk. Go is only asked for when something must be built.
 * `more`: space that the caller needs beside the lab's.
 * @throws LabUsageError with one line a thing that is missing.
 */
export async function checkTools(more: Space[] = []): Promise<void> {
  const problems: string[] = [];
  for (const check of [checkNode, findPython, () => checkSpace([{ dir: labsRoot(), megabytes: LAB_MB, setting: labsSetting() }, ...more])]) {
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

function parse(text: string): Version {
  const match = /(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

function atLeast(seen: Version, wanted: Version): boolean {
  return seen[0] > wanted[0] || (seen[0] === wanted[0] && seen[1] >= wanted[1]);
}
