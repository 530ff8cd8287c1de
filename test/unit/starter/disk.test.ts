import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkSpace, LabUsageError } from '../../../lab/index.js';
import { main } from '../../../starter/cli/main.js';
import { asDiskFull, usedUp } from '../../../starter/disk.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const PETABYTE = 1e9;

describe('room is checked before anything is written', () => {
  it('one line that says where, how much, and what to set', async () => {
    const folder = join(tmpdir(), 'not', 'there', 'yet');
    const problem = await checkSpace([{ dir: folder, megabytes: PETABYTE, setting: 'CILIATE_CACHE' }]).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(LabUsageError);
    expect((problem as Error).message).toMatch(/^not enough disk space in \S+yet: [\d.]+ [GM]B free, 1000000\.0 GB needed: free some, or set CILIATE_CACHE to where there is more$/);
  });

  it('adds up what shares a file system, and says it once', async () => {
    const needs = ['CILIATE_CACHE', 'TMPDIR'].map((setting) => ({ dir: join(tmpdir(), setting), megabytes: PETABYTE / 2, setting }));
    const { message } = (await checkSpace(needs).catch((error: unknown) => error)) as Error;
    expect(message.split('\n')).toHaveLength(1);
    expect(message).toMatch(/1000000\.0 GB needed: free some, or set CILIATE_CACHE and TMPDIR/);
  });

  it('is content where there is room', async () => {
    await expect(checkSpace([{ dir: tmpdir(), megabytes: 1, setting: 'TMPDIR' }])).resolves.toBeUndefined();
  });

  it('./ciliate checks by itself before npm ci: its own words, without the build', () => {
    const script = "import { tooSmall, diskFull } from './scripts/lib/disk.mjs'; console.log(tooSmall('/', 1e9)); console.log(diskFull('npm error code ENOSPC', '/here')); console.log(diskFull('npm error code E404', '/here'));";
    const lines = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim().split('\n');
    expect(lines[0]).toMatch(/^not enough disk space in \/: \d+ MB free, 1000000000 MB needed: free some$/);
    expect(lines[1]).toMatch(/^the disk is full \(\/here\): free some space/);
    expect(lines[2]).toBe('undefined');
  });
});

describe('a disk that fills up all the same', () => {
  const node = (): Error => Object.assign(new Error("ENOSPC: no space left on device, write '/x/y'"), { code: 'ENOSPC', path: '/x/y' });

  it.each([
    ['Node', node(), /^the disk is full \(\/x\/y\): free some space, or set CILIATE_CACHE and TMPDIR to where there is more$/],
    ['a cause', new Error('chart', { cause: node() }), /\(\/x\/y\)/],
    ['pip', Object.assign(new Error('exit 1'), { stderr: 'ERROR: [Errno 28] No space left on device' }), /^the disk is full: free/],
    ['SQLite', new Error('database or disk is full'), /^the disk is full: free/],
  ])('%s: one line, exit code 2', (_, error, line) => {
    expect(asDiskFull(error)).toMatchObject({ code: 2, message: expect.stringMatching(line) as unknown });
  });

  it('another error is not taken for it', () => {
    expect(asDiskFull(new Error('connection refused'))).toBeUndefined();
    expect(usedUp([tmpdir(), '/not/there'])).toBeUndefined();
  });

  it('a command ends with it', async () => {
    let said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((said += String(chunk)), true));
    vi.doMock('../../../starter/demo/kept.js', () => ({ stopKept: () => Promise.reject(node()) }));
    expect(await main(['demo', '--stop'])).toBe(2);
    vi.doUnmock('../../../starter/demo/kept.js');
    expect(said).toBe('the disk is full (/x/y): free some space, or set CILIATE_CACHE and TMPDIR to where there is more\n');
  });
});
