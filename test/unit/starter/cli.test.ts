import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../starter/cli/main.js';
import { buildProgram } from '../../../starter/cli/program.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((said.out += String(chunk)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((said.err += String(chunk)), true));
  vi.spyOn(console, 'log').mockImplementation((text: unknown) => void (said.out += `${String(text)}\n`));
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => void (said.err += `${String(text)}\n`));
  return { code: await main(args), ...said };
}

describe('the names of the commands are fixed', () => {
  it('all are there, each with a description', async () => {
    const commands = (await buildProgram()).commands;
    expect(commands.map((command) => command.name())).toEqual([
      'preflight', 'plan', 'advise', 'start', 'status', 'report', 'release', 'rollback', 'pause', 'resume', 'abort', 'approve', 'skip', 'retry', 'set', 'fleet', 'mesh', 'policy', 'worker', 'dev', 'demo', 'lab',
    ]);
    for (const command of commands) expect(command.description()).not.toBe('');
  });

  it.each([
    ['preflight', ['--file', '--output']],
    ['plan', ['--file', '--output']],
    ['advise', ['--file', '--output']],
    ['start', ['--file', '--watch']],
    ['status', ['--output', '--watch']],
    ['approve', ['--reason', '--node', '--pod']],
    ['report', ['--output']],
    ['release', ['--file', '--holder']],
    ['demo', ['--keep']],
  ])('%s takes %j', async (name, options) => {
    const command = (await buildProgram()).commands.find((one) => one.name() === name);
    expect(command?.options.map((option) => option.long)).toEqual(expect.arrayContaining(options));
  });
});

describe('exit code 2: bad usage', () => {
  it.each([
    [[]],
    [['no-such-command']],
    [['status']],
    [['status', 'a', '--no-such-option']],
    [['status', 'a', '-o', 'xml']],
    [['plan']],
    [['advise']],
    [['advise', '-f', '/nowhere/spec.yaml']],
    [['start']],
    [['pause', 'a']],
    [['pause', 'a', '--reason', '  ']],
    [['approve', 'a', 'before-install']],
    [['approve', 'a', 'before-install', '--reason', 'x', '--pod', 'no-namespace']],
    [['skip', 'a', '--reason', 'x']],
    [['set', 'a']],
    [['set', 'a', 'novalue']],
    [['dev', '--port', '99999']],
    [['plan', '-f', '/nowhere/spec.yaml']],
    [['release']],
    [['fleet']],
    [['fleet', 'pause', 'f']],
    [['fleet', 'start', '-f', '/nowhere/fleet.yaml']],
    [['fleet', 'approve', 'f', '--reason', 'x']],
    [['lab']],
    [['lab', 'no-such-verb']],
    [['mesh']],
    [['mesh', 'connect']],
    [['mesh', 'connect', '-f', '/nowhere/mesh.yaml']],
    [['mesh', 'join', '-f', 'x']],
    [['policy', 'apply']],
    [['policy', 'verify', '-f', 'x', '--timeout', '0']],
    [['policy', 'report', '-f', '/nowhere/spec.yaml']],
  ])('%j', async (args) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('suggests the nearest command', async () => {
    expect((await run('sttus', 'a')).err).toContain('Did you mean status?');
  });

  it('shows every line of a bad SPEC, and nothing on stdout', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'apiVersion: ciliate.io/v1alpha1\nkind: ClusterMigraton\nmetadata: {nam: a}\nspec: {}\n');
    const { code, out, err } = await run('start', '-f', file);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`${file}:2:7: kind: expected ClusterMigration, saw "ClusterMigraton"`);
    expect(err).toContain(`${file}:3:12: unknown key "nam" in metadata: did you mean name?`);
  });

  it('dev says which port is taken', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', undefined);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await run('dev', '--port', String(port), '--ui-port', '0');
    server.close();
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(new RegExp(`^port ${port} for Temporal is taken: .* --port PORT`)) as string });
    expect(err.trimEnd()).not.toContain('\n');
  });
});

describe('exit code 3: something cannot be reached', () => {
  it('says in one line which address, where it came from, and what to do', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    const { code, out, err } = await run('status', 'a');
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/^cannot reach Temporal at 127\.0\.0\.1:1 \(from TEMPORAL_ADDRESS\): .*ciliate dev/);
    expect(err.trimEnd()).not.toContain('\n');
  });
});

describe('exit code 0', () => {
  it.each([[['--help']], [['--version']], [['approve', '--help']], [['lab', '--help']], [['mesh', 'connect', '--help']], [['policy', '--help']]])('%j', async (args) => {
    const { code, out, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toBe('');
  });
});
