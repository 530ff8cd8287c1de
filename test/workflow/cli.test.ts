import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TASK_QUEUE } from '../../domain/names.js';
import type { MigrationReport, MigrationStatus } from '../../domain/status.js';
import { findTemporal } from '../../starter/temporal/discover.js';
import { eventually } from '../support/poll.js';
import { FakeCluster } from './fakeCluster.js';
import { Harness } from './harness.js';

/** The command line and plain `temporal` against the real workflows; the cluster behind them is in memory. */
const folder = mkdtempSync(join(tmpdir(), 'ciliate-cli-'));
let harness: Harness;
let temporalBinary: string;
let main: (args: string[]) => Promise<number>;

beforeAll(async () => {
  ({ main } = await import('../../starter/cli/main.js'));
  harness = await Harness.start();
  process.env['TEMPORAL_ADDRESS'] = harness.env.address;
  temporalBinary = (await findTemporal()).path;
});
afterAll(async () => {
  delete process.env['TEMPORAL_ADDRESS'];
  await harness.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  code: number;
  out: string;
  err: string;
}

/** One command line in this process. */
async function ciliate(...args: string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const to = (key: 'out' | 'err') => (chunk: unknown) => ((said[key] += String(chunk)), true);
  const line = (key: 'out' | 'err') => (text: unknown) => void (said[key] += `${String(text)}\n`);
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(to('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(to('err')),
    vi.spyOn(console, 'log').mockImplementation(line('out')),
    vi.spyOn(console, 'error').mockImplementation(line('err')),
  ];
  try {
    return { code: await main(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function spec(name: string, more = ''): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `apiVersion: ciliate.io/v1alpha1\nkind: ClusterMigration\nmetadata: {name: ${name}}\nspec:\n  cluster: {kubeconfig: ./kubeconfig, region: eu-west-1}\n  cilium: {version: 1.20.0}\n  soakSeconds: 0\n${more}`,
  );
  return file;
}

const fresh = (): string => `m-${randomUUID().slice(0, 8)}`;

async function beside<T>(cluster: FakeCluster, steps: () => Promise<T>): Promise<T> {
  const worker = await harness.worker(cluster, TASK_QUEUE);
  return worker.runUntil(steps);
}

async function statusOf(name: string): Promise<MigrationStatus> {
  const { out, code } = await ciliate('status', name, '-o', 'json');
  expect(code).toBe(0);
  return JSON.parse(out) as MigrationStatus;
}

async function untilGate(name: string, gate: string): Promise<string> {
  return eventually(async () => {
    const status = await statusOf(name);
    expect(status.gate?.gate).toBe(gate);
    return status.gate?.digest ?? '';
  });
}

describe('a migration by command line', () => {
  it('starts, shows itself, waits for approvals, and reports without a worker', async () => {
    const name = fresh();
    await beside(new FakeCluster(2), async () => {
      const started = await ciliate('start', '-f', spec(name));
      expect(started).toMatchObject({ code: 0, err: '' });
      expect(started.out).toContain(`cilium-migration/${name}`);

      await untilGate(name, 'before-install');
      const wrong = await ciliate('approve', name, 'before-removal', '--reason', 'x');
      expect(wrong).toMatchObject({ code: 1, out: '' });
      expect(wrong.err).toContain('the gate before-removal is not open: before-install is');
      const stale = await ciliate('approve', name, 'before-install', '--reason', 'x', '--digest', 'old');
      expect(stale.err).toContain('before-install now decides something else than old');

      const second = await ciliate('start', '-f', spec(name));
      expect(second.code).toBe(1);
      expect(second.err).toMatch(/is being migrated already: workflow cilium-migration\/m-\S+, run [0-9a-f-]{36}/);

      for (const gate of ['before-install', 'after-canary', 'before-enforcement', 'before-removal']) {
        await untilGate(name, gate);
        const approved = await ciliate('approve', name, gate, '--reason', `ticket for ${gate}`);
        expect(approved.code, approved.err).toBe(0);
        expect(approved.err).toContain(`${gate} decides:`);
        expect(approved.out).toContain('approve: accepted');
      }
      const watched = await ciliate('status', name, '--watch');
      expect(watched.code).toBe(0);
      expect(watched.out).toContain(`${name}: DONE`);
    });

    // The worker is gone: the result of a closed run needs none.
    const report = JSON.parse((await ciliate('report', name, '-o', 'json')).out) as MigrationReport;
    expect(report).toMatchObject({ version: 1, state: 'done' });
    expect(report.audit.map((entry) => entry.reason)).toContain('ticket for before-removal');
    expect((await ciliate('report', name)).out).toContain('# Migration of');
    const status = await statusOf(name);
    expect(status).toMatchObject({ state: 'done', counts: { cilium: 2, aws: 0 }, nodes: { done: 2 } });
    const late = await ciliate('pause', name, '--reason', 'x');
    expect(late.code).toBe(1);
    expect(late.err).toContain('is not running (completed)');
  });

  it('tells a failed run by its exit code, and keeps its report', async () => {
    const name = fresh();
    const cluster = new FakeCluster(1);
    cluster.plan = { blocked: true, findings: [{ id: 'ipv6', severity: 'blocker', objects: [], message: 'IPv6 cluster.', todo: 'None.' }] };
    const run = await beside(cluster, () => ciliate('start', '-f', spec(name), '--watch'));
    expect(run.code).toBe(1);
    expect(run.out).toContain('FAILED');
    expect(JSON.parse((await ciliate('report', name, '-o', 'json')).out)).toMatchObject({ state: 'failed' });
  });

  it('refuses in words what does not fit, and changes what does', async () => {
    const name = fresh();
    await beside(new FakeCluster(1), async () => {
      await ciliate('start', '-f', spec(name));
      await untilGate(name, 'before-install');
      expect(await ciliate('resume', name, '--reason', 'x')).toMatchObject({ code: 1, err: 'resume refused: expected a paused run, saw one that is not paused\n' });
      expect((await ciliate('pause', name, '--reason', 'x')).code).toBe(0);
      expect((await statusOf(name)).paused?.reason).toBe('x');
      expect((await ciliate('resume', name, '--reason', 'y')).code).toBe(0);
      expect(await ciliate('set', name, 'soakSeconds=1', 'drain.barePods=evict')).toMatchObject({ code: 0, err: '' });
      expect((await ciliate('set', name, 'colour=red')).err).toContain('expected one of soakSeconds');
      expect((await ciliate('retry', name, 'ip-none', '--reason', 'x')).err).toContain('expected a node in flight');
      expect((await ciliate('abort', name, '--reason', 'enough')).code).toBe(0);
      const watched = await ciliate('status', name, '--watch');
      expect(watched.code).toBe(1);
      expect(watched.out).toContain('ABORTED');
    });
  });
});

describe('a run that was terminated', () => {
  it('is told as failed, with what to do, and not as it last stood', async () => {
    const name = fresh();
    await beside(new FakeCluster(1), async () => {
      await ciliate('start', '-f', spec(name));
      await untilGate(name, 'before-install');
      await harness.env.client.workflow.getHandle(`cilium-migration/${name}`).terminate('by mistake');
      expect(await statusOf(name)).toMatchObject({ state: 'failed', gate: null, problem: expect.stringContaining(`ciliate release ${name}`) as string });
      expect((await ciliate('status', name, '--watch')).code).toBe(1);
    });
    expect(await statusOf(name)).toMatchObject({ state: 'failed', gate: null, phase: 'preflight', problem: expect.stringContaining('terminated') as string });
  });
});

describe('with no worker alive', () => {
  it('pause, resume and approve land as signals, abort as a cancel request, and it says so', async () => {
    const name = fresh();
    const cluster = new FakeCluster(1);
    let digest = '';
    await beside(cluster, async () => {
      await ciliate('start', '-f', spec(name));
      digest = await untilGate(name, 'before-install');
    });

    const paused = await ciliate('pause', name, '--reason', 'nobody there');
    expect(paused).toMatchObject({ code: 0 });
    expect(paused.out).toContain('no worker answered within 1.5 s: sent as a signal');
    const shown = await ciliate('status', name);
    expect(shown.code).toBe(0);
    expect(shown.err).toMatch(/no worker.*this is how it stood at/);
    expect(shown.out).toContain(`approve ${name} before-install`);
    expect(await statusOf(name)).toMatchObject({ state: 'waiting-approval', asOf: expect.any(String) as string, gate: { digest } });
    expect((await ciliate('set', name, 'soakSeconds=1')).code).toBe(3);
    const blind = await ciliate('approve', name, 'before-install', '--reason', 'x');
    expect(blind.code).toBe(3);
    expect(blind.err).toContain('--digest');
    expect((await ciliate('approve', name, 'before-install', '--reason', 'known', '--digest', digest)).code).toBe(0);
    expect((await ciliate('report', name)).code).toBe(3);

    await beside(cluster, async () => {
      await eventually(async () => expect((await statusOf(name)).audit.map((entry) => entry.verb)).toEqual(expect.arrayContaining(['pause', 'approve'])));
    });
    const aborted = await ciliate('abort', name, '--reason', 'nobody there');
    expect(aborted.out).toContain('sent as a cancel request');
    await beside(cluster, async () => {
      expect((await ciliate('status', name, '--watch')).code).toBe(1);
    });
  });
});

describe('plain temporal', () => {
  const temporal = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(temporalBinary, ['workflow', ...args, '-o', 'json'], { env: { ...process.env, TEMPORAL_ADDRESS: harness.env.address } });
    return stdout;
  };

  it('starts, queries, signals, updates and cancels by the lines of docs/temporal.md', async () => {
    const name = fresh();
    const id = `cilium-migration/${name}`;
    const input = join(folder, `${name}.json`);
    writeFileSync(
      input,
      JSON.stringify({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name }, spec: { cluster: { kubeconfig: '/kubeconfig' }, cilium: { version: '1.20.0' }, refresh: { canarySoakSeconds: 0 } } }),
    );
    await beside(new FakeCluster(1), async () => {
      await temporal('start', '--type', 'migrateCluster', '--task-queue', 'ciliate', '--workflow-id', id, '--fail-existing', '--input-file', input);
      await expect(temporal('start', '--type', 'migrateCluster', '--task-queue', 'ciliate', '--workflow-id', id, '--fail-existing', '--input-file', input)).rejects.toThrow(/already/i);
      const digest = await untilGate(name, 'before-install');
      expect(await temporal('query', '--workflow-id', id, '--name', 'status')).toContain('before-install');

      await temporal('signal', '--workflow-id', id, '--name', 'pause', '--input', '{"by": "me", "reason": "incident"}');
      await eventually(async () => expect((await statusOf(name)).paused?.by).toBe('me'));
      await expect(temporal('update', 'execute', '--workflow-id', id, '--name', 'pause', '--input', '{"by": "me"}')).rejects.toThrow(/expected a text for "reason"/);
      await temporal('update', 'execute', '--workflow-id', id, '--name', 'resume', '--input', '{"by": "me", "reason": "over"}');
      await temporal('signal', '--workflow-id', id, '--name', 'approve', '--input', JSON.stringify({ by: 'me', reason: 'CHG-1', gate: 'before-install', digest }));
      await untilGate(name, 'after-canary');
      await temporal('cancel', '--workflow-id', id);
      expect((await ciliate('status', name, '--watch')).code).toBe(1);
      expect(JSON.parse((await ciliate('report', name, '-o', 'json')).out)).toMatchObject({ state: 'aborted' });
    });
    // Temporal keeps no result of a cancelled run: without a worker its state is still known.
    expect(await statusOf(name)).toMatchObject({ state: 'aborted' });
  });

  it('is documented with names that exist', () => {
    const text = readFileSync(fileURLToPath(new URL('../../docs/temporal.md', import.meta.url)), 'utf8');
    const messages = readFileSync(fileURLToPath(new URL('../../workflows/messages.ts', import.meta.url)), 'utf8');
    for (const [, kind, name] of text.matchAll(/temporal workflow (query|signal|update execute) .*--name (\w+)/g)) {
      const definition = { query: 'defineQuery', signal: 'defineSignal', 'update execute': 'defineUpdate' }[kind ?? ''] ?? '';
      expect(messages, `${kind} ${name}`).toMatch(new RegExp(`${definition}<[^(]*>\\('${name}'\\)`));
    }
  });
});
