import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, expect, it, vi } from 'vitest';
import { packageRoot } from '../../starter/paths.js';
import { freePort, portFor } from '../../starter/temporal/ports.js';

const folder = mkdtempSync(join(tmpdir(), 'ciliate-dev-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('dev killed with -9 takes its server along, and starts again on the same ports and file at once', async () => {
  const ports = await Promise.all([freePort(), freePort()]);
  const start = async () => {
    const args = [join(packageRoot(), 'dist', 'starter', 'bin.js'), 'dev', '--port', String(ports[0]), '--ui-port', String(ports[1]), '--db', join(folder, 'temporal.db')];
    const child = spawn(process.execPath, args, { env: { ...process.env, TEMPORAL_ADDRESS: undefined }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await vi.waitFor(() => expect(said + (child.exitCode === null ? '' : `ended with ${child.exitCode}`)).toMatch(/worker ready|ended with/), { timeout: 60_000, interval: 50 });
    return { child, said };
  };
  const first = await start();
  expect(first.said).toContain('worker ready');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  // Not before its port is free, which is as soon as the shell that holds the leash has run.
  await vi.waitFor(() => portFor(ports[0], { what: 'Temporal', option: '--port' }), { timeout: 60_000, interval: 20 });
  const again = await start();
  expect(again.said).toContain('worker ready');
  again.child.kill('SIGTERM');
  expect(await once(again.child, 'exit')).toEqual([0, null]);
});
