import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overall, probedPort, probeScript, readProbe, verdicts } from '../../../domain/policy/probe.js';
import type { Outcome, ProbeResults } from '../../../domain/policy/probe.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();

const names = { from: 'c1/my-client', to: 'c2/my-server', elsewhere: 'CoreDNS 10.0.0.9:8181' };
const proven: ProbeResults = { selected: { server: 'open', elsewhere: 'closed' }, control: { server: 'closed', elsewhere: 'open' } };
const outcome = fc.constantFrom<(Outcome | undefined)[]>('open', 'refused', 'closed', undefined);
const places = fc.record({ server: outcome, elsewhere: outcome });

const HAS_BASH = spawnSync('bash', ['-c', 'command -v timeout']).status === 0;

describe.skipIf(!HAS_BASH)("the probe pod's script (in this machine's bash)", () => {
  it('tells a listener from nobody, in words that only this run knows', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const nobody = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    const result = join(folder, 'termination-log');
    await execa('bash', ['-c', probeScript('n1', { server: { ip: '127.0.0.1', port }, elsewhere: { ip: '127.0.0.1', port: nobody } })], { env: { RESULT: result } });
    server.close();
    const message = readFileSync(result, 'utf8');
    expect(readProbe('n1', message)).toEqual({ server: 'open', elsewhere: 'refused' });
    expect(readProbe('n2', message)).toEqual({});
  });
});

describe('what probes show', () => {
  it('is proven where the allowed path is open, and each refusal has somebody who is answered', () => {
    const paths = verdicts(proven, names);
    expect(paths.map(({ verdict }) => verdict)).toEqual(['proven', 'proven', 'proven']);
    expect(overall(paths)).toBe('proven');
  });

  it.each<[string, ProbeResults, string[]]>([
    ['nothing ran (the lab)', {}, ['unproven', 'unproven', 'unproven']],
    ['pods ended without a word', { selected: {}, control: {} }, ['unproven', 'unproven', 'unproven']],
    ['the allowed path is closed', { ...proven, selected: { server: 'closed', elsewhere: 'closed' } }, ['failed', 'unproven', 'proven']],
    ['a pod without the labels gets through', { ...proven, control: { server: 'open', elsewhere: 'open' } }, ['proven', 'failed', 'proven']],
    ['the selected pod gets elsewhere', { ...proven, selected: { server: 'open', elsewhere: 'open' } }, ['proven', 'proven', 'failed']],
    ['nobody is answered elsewhere', { ...proven, control: { server: 'closed', elsewhere: 'closed' } }, ['proven', 'proven', 'unproven']],
  ])('%s', (_, results, expected) => {
    expect(verdicts(results, names).map(({ verdict }) => verdict)).toEqual(expected);
  });

  it('whatever the results: never proven without both pods and both places having spoken', () => {
    fc.assert(
      fc.property(fc.record({ selected: places, control: places }), (results) => {
        const all = [results.selected.server, results.selected.elsewhere, results.control.server, results.control.elsewhere];
        const verdict = overall(verdicts(results, names));
        if (all.includes(undefined)) expect(verdict).not.toBe('proven');
        if (verdict === 'proven') expect(results).toEqual(proven);
      }),
    );
    expect(overall([])).toBe('unproven');
  });

  it('only a TCP port is probed', () => {
    expect(probedPort([{ port: 53, protocol: 'UDP' }, { port: 80, protocol: 'TCP' }])?.port).toBe(80);
    expect(probedPort([{ port: 53, protocol: 'UDP' }])).toBeUndefined();
  });

  it('whatever stands in a termination message is read without a throw', () => {
    fc.assert(
      fc.property(fc.string(), (message) => {
        expect(Object.keys(readProbe('nonce', message)).length).toBeLessThanOrEqual(2);
      }),
    );
  });
});
