import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureDead, hostId } from '../../../activities/helm/attempt.js';
import { sweepHelmHomes } from '../../../activities/helm/home.js';
import { helmError } from '../../../activities/helm/errors.js';
import { ensureRelease, readRelease, uninstallRelease, valuesSha256 } from '../../../activities/helm/release.js';
import type { HelmAttempt, HelmTarget } from '../../../activities/helm/release.js';
import { runHelm } from '../../../activities/helm/run.js';
import { helmVersion } from '../../../activities/helm/version.js';
import type { HelmValues } from '../../../domain/spec/schema.js';

interface Fake {
  revision: number;
  status: string;
  chart: string;
  description: string;
  values: HelmValues;
}

let state = '';
let attempts: HelmAttempt[] = [];
const FAKE = resolve(import.meta.dirname, 'fakeHelm.mjs');

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'fake-helm-'));
  attempts = [];
  vi.stubEnv('FAKE_HELM', state);
  vi.stubEnv('CILIATE_HELM', FAKE);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true, force: true });
});

const read = (name: string): string => (existsSync(join(state, name)) ? readFileSync(join(state, name), 'utf8') : '');
const releases = (): Fake[] => JSON.parse(read('releases.json') || '[]') as Fake[];
const put = (...all: Partial<Fake>[]): void =>
  writeFileSync(join(state, 'releases.json'), JSON.stringify(all.map((one, index) => ({ revision: index + 1, chart: 'cilium-1.20.0', values: {}, description: 'ciliate:x', ...one }))));
const verbs = (): string[] => read('calls').split('\n').map((line) => line.split(' ')[0] ?? '').filter((verb) => verb !== '');

/** As the ledger does: the last attempt that was stored is given back. */
function target(extra: Partial<HelmTarget> = {}): HelmTarget {
  return {
    kubeconfig: '/kc',
    secrets: {
      listReleaseSecrets: async () => releases().map(({ revision, status }) => ({ name: `sh.helm.release.v1.cilium.v${revision}`, labels: { owner: 'helm', name: 'cilium', status } })),
      deleteSecret: async (name) => put(...releases().filter(({ revision }) => name !== `sh.helm.release.v1.cilium.v${revision}`)),
    },
    lastAttempt: attempts.at(-1) ?? null,
    onAttempt: async (attempt) => void attempts.push(attempt),
    ...extra,
  };
}
const wanted = (values: HelmValues = { a: 1 }) => ({ chart: { path: '/chart.tgz', version: '1.20.0' }, values, description: 'migration' });

function attempt(extra: Partial<HelmAttempt>): HelmAttempt {
  const now = Date.now();
  return {
    id: 'x', hostId: 'elsewhere', pid: 1, startTime: '1', does: 'install', revision: 1, valuesSha256: valuesSha256({ a: 1 }), chartVersion: '1.20.0',
    startedAt: new Date(now).toISOString(), deadline: new Date(now + 60_000).toISOString(), ...extra,
  };
}

const isAlive = (pid: number): boolean => {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return stat !== '' && !/\) [ZX] /.test(stat);
};
async function until(holds: () => boolean, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) if (holds()) return;
  throw new Error('it did not come to pass');
}

describe('ensureRelease', () => {
  it('installs, then does nothing, then upgrades', async () => {
    expect(await ensureRelease(target(), wanted())).toEqual({ revision: 1, changed: true });
    expect(attempts.map(({ does, revision, endedAt }) => [does, revision, endedAt === undefined])).toEqual([['install', 1, true], ['install', 1, false]]);
    expect(await ensureRelease(target(), wanted())).toEqual({ revision: 1, changed: false });
    expect(await ensureRelease(target(), wanted({ a: 2 }))).toEqual({ revision: 2, changed: true });
    expect(releases().at(-1)).toMatchObject({ revision: 2, status: 'deployed', description: 'ciliate:migration', values: { a: 2 } });
    expect(verbs().filter((verb) => verb === 'upgrade')).toHaveLength(2);
    expect(read('calls')).toMatch(/^history \/kc$/m);
  });

  it('does not write where the values are equal but for the order of their keys', async () => {
    put({ status: 'deployed', values: { b: { d: 1, c: 2 }, a: 1 } });
    expect(await ensureRelease(target(), wanted({ a: 1, b: { c: 2, d: 1 } }))).toEqual({ revision: 1, changed: false });
    expect(attempts).toEqual([]);
  });

  it.each(['deployed', 'failed', 'pending-install', 'pending-upgrade'])('refuses a %s release of somebody else, and names it', async (status) => {
    put({ status, description: 'Install complete' });
    await expect(ensureRelease(target(), wanted())).rejects.toMatchObject({ kind: 'Permanent', code: 'ForeignRelease', message: expect.stringContaining('Install complete') as string });
    await expect(uninstallRelease(target())).rejects.toMatchObject({ code: 'ForeignRelease' });
    expect(releases()).toHaveLength(1);
  });

  it('refuses a pending release that our attempt did not make: other values, or on top of a foreign one', async () => {
    put({ status: 'pending-install', description: 'Initial install underway', values: { other: 1 } });
    await expect(ensureRelease(target({ lastAttempt: attempt({ deadline: new Date(0).toISOString() }) }), wanted())).rejects.toMatchObject({ code: 'ForeignRelease' });
    put({ status: 'deployed', description: 'theirs' }, { status: 'pending-upgrade', description: 'Preparing upgrade', values: { a: 1 } });
    await expect(ensureRelease(target({ lastAttempt: attempt({ revision: 2, deadline: new Date(0).toISOString() }) }), wanted())).rejects.toMatchObject({ code: 'ForeignRelease' });
  });

  it.each([
    ['pending-install', [], 1],
    ['failed', [], 1],
    ['pending-upgrade', [{ status: 'deployed', values: {} }], 2],
    ['failed', [{ status: 'deployed', values: {} }], 2],
    ['pending-upgrade', [{ status: 'superseded', values: {} }], 2],
  ])('recovers our own %s after %j under the same revision', async (status, before, revision) => {
    put(...before, { status, description: 'Helm says something', values: { a: 1 } });
    const lastAttempt = attempt({ revision, deadline: new Date(0).toISOString() });
    expect(await ensureRelease(target({ lastAttempt }), wanted({ a: 2 }))).toEqual({ revision, changed: true });
    expect(releases().at(-1)).toMatchObject({ revision, status: 'deployed', values: { a: 2 } });
  });

  it('waits for a helm on another host until its deadline, unless it is known to have ended', async () => {
    put({ status: 'pending-install', description: 'Initial install underway', values: { a: 1 } });
    const elsewhere = attempt({});
    // Ten seconds for clocks that differ.
    const left = (): number => Date.parse(elsewhere.deadline) + 10_000 - Date.now();
    const most = left();
    const failure = await ensureRelease(target({ lastAttempt: elsewhere }), wanted()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'NotYet', code: 'HelmElsewhere' });
    const { retryAfterMs } = failure as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(left());
    expect(retryAfterMs).toBeLessThanOrEqual(most);
    expect(await ensureRelease(target({ lastAttempt: attempt({ endedAt: new Date().toISOString() }) }), wanted())).toEqual({ revision: 1, changed: true });
  });

  it('writes values that the release has already where a later revision was begun and its record is gone: live objects may have been changed', async () => {
    put({ status: 'deployed', values: { a: 1 } });
    const lastAttempt = attempt({ does: 'upgrade', revision: 2, deadline: new Date(0).toISOString() });
    expect(await ensureRelease(target({ lastAttempt }), wanted())).toEqual({ revision: 2, changed: true });
    expect(await ensureRelease(target(), wanted())).toEqual({ revision: 2, changed: false });
  });

  it('does not wait where there is nothing to write', async () => {
    put({ status: 'deployed', values: { a: 1 } });
    expect(await ensureRelease(target({ lastAttempt: attempt({}) }), wanted())).toEqual({ revision: 1, changed: false });
  });

  it('starts no helm whose attempt could not be recorded', async () => {
    const onAttempt = () => Promise.reject(new Error('ledger is away'));
    await expect(ensureRelease(target({ onAttempt }), wanted())).rejects.toThrow('ledger is away');
    expect(verbs()).not.toContain('upgrade');
  });

  it('kills the helm of an earlier attempt on this host before it goes on', async () => {
    writeFileSync(join(state, 'slow'), '');
    const first = ensureRelease(target(), wanted()).catch((error: unknown) => error);
    await until(() => read('pid') !== '');
    rmSync(join(state, 'slow'));
    expect(await ensureRelease(target(), wanted())).toEqual({ revision: 1, changed: true });
    expect(isAlive(Number(read('pid')))).toBe(false);
    expect(await first).toBeInstanceOf(Error);
    expect(releases()).toMatchObject([{ revision: 1, status: 'deployed' }]);
  });
});

describe('uninstallRelease', () => {
  it('does it once', async () => {
    put({ status: 'deployed' });
    expect(await uninstallRelease(target())).toEqual({ changed: true });
    expect(await uninstallRelease(target())).toEqual({ changed: false });
    expect(await readRelease(target())).toBeNull();
  });

  it.each([
    ['uninstalling', 'uninstall'],
    ['failed', 'install'],
    ['pending-install', 'install'],
    ['failed', 'uninstall'],
  ] as const)('finishes a release of ours that is %s after our %s', async (status, does) => {
    put({ status, description: 'Helm says something', values: { a: 1 } });
    expect(await uninstallRelease(target({ lastAttempt: attempt({ does, deadline: new Date(0).toISOString() }) }))).toEqual({ changed: true });
    expect(releases()).toEqual([]);
  });

  it('lets ensureRelease install anew after a half-done uninstall', async () => {
    put({ status: 'deployed' }, { status: 'uninstalling', description: 'Deletion in progress', values: { a: 1 } });
    const lastAttempt = attempt({ does: 'uninstall', revision: 2, deadline: new Date(0).toISOString() });
    expect(await ensureRelease(target({ lastAttempt }), wanted())).toEqual({ revision: 1, changed: true });
  });
});

describe.skipIf(!existsSync('/proc/self/stat'))('the supervisor', () => {
  it('kills helm when the worker is killed with -9, and leaves nothing behind', async () => {
    writeFileSync(join(state, 'slow'), '');
    const worker = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'slowWorker.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    worker.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => read('pid') !== '');
    const helm = Number(read('pid'));
    const supervisor = Number(said.trim());
    expect([isAlive(helm), isAlive(supervisor)]).toEqual([true, true]);
    worker.kill('SIGKILL');
    await until(() => !isAlive(helm) && !isAlive(supervisor));
    await sweepHelmHomes();
    expect(readdirSync(tmpdir()).filter((name) => new RegExp(`^ciliate-helm-\\w+-${worker.pid}-`).test(name))).toEqual([]);
    const group = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isAlive(Number(pid)) && stat(pid)?.[2] === String(supervisor));
    expect(group).toEqual([]);
  });

  it('kills helm at its limit', async () => {
    writeFileSync(join(state, 'slow'), '');
    await expect(runHelm(['upgrade'], { values: {}, timeoutMs: 1000 })).rejects.toMatchObject({ kind: 'Transient', code: 'HelmTimeout' });
    expect(isAlive(Number(read('pid')))).toBe(false);
  });

  it('kills helm when the call is cancelled', async () => {
    writeFileSync(join(state, 'slow'), '');
    const abort = new AbortController();
    const running = runHelm(['upgrade'], { values: {}, signal: abort.signal });
    await until(() => read('pid') !== '');
    abort.abort(new Error('cancelled by test'));
    await expect(running).rejects.toThrow('cancelled by test');
    expect(isAlive(Number(read('pid')))).toBe(false);
  });

  it('does not mistake another process for a helm of ours', async () => {
    const other = spawn('sleep', ['30']);
    await ensureDead(attempt({ hostId: await hostId(), pid: other.pid ?? 0 }));
    expect(isAlive(other.pid ?? 0)).toBe(true);
    other.kill('SIGKILL');
  });
});

describe('runHelm', () => {
  it('gives helm a private folder that is gone afterwards, and none of the worker’s own cluster', async () => {
    vi.stubEnv('KUBECONFIG', '/somebody/elses');
    await runHelm(['version']);
    expect(read('calls')).toBe('version /dev/null\n');
    expect(readdirSync(tmpdir()).filter((name) => new RegExp(`^ciliate-helm-\\w+-${process.pid}-`).test(name))).toEqual([]);
  });

  it('says what to install where there is no helm', async () => {
    vi.stubEnv('CILIATE_HELM', '/nowhere/helm');
    await expect(runHelm(['version'])).rejects.toMatchObject({ kind: 'Permanent', code: 'HelmMissing', message: expect.stringContaining('/nowhere/helm') as string });
    expect(await helmVersion()).toBeNull();
  });

  it('knows the version', async () => expect(await helmVersion()).toEqual({ version: 'v9.9.9' }));

  it.each([
    ['Kubernetes cluster unreachable: Get "https://x/version": dial tcp 127.0.0.1:1: connect: connection refused', 'Transient'],
    ['an error on the server ("Internal Server Error") has prevented the request from succeeding', 'Transient'],
    ['the server is currently unable to handle the request', 'Transient'],
    ['context deadline exceeded', 'Transient'],
    ['namespaces "x" is forbidden: unable to create new content in namespace cilium-secrets because it is being terminated', 'Transient'],
    ['Too many requests, please try again later', 'Throttled'],
    ['secrets is forbidden: User "x" cannot list resource "secrets"', 'Permanent'],
    ['execution error at (cilium/templates/validate.yaml:56:5): tunnel was deprecated in v1.14 and has been removed in v1.15', 'Permanent'],
    ['UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress', 'NotYet'],
    ['ServiceAccount "cilium" in namespace "kube-system" exists and cannot be imported into the current release: invalid ownership metadata', 'Permanent'],
    ['something nobody has seen', 'Permanent'],
  ])('maps "%s" to %s', (stderr, kind) => {
    const error = helmError({ command: 'helm upgrade', exitCode: 1, stderr: `WARNING: noise\nError: ${stderr}\n`, timedOut: false, timeoutMs: 1 });
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(stderr);
    expect(error.message).not.toContain('noise');
  });
});

function stat(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
