import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { SNAPSHOT_MEMO } from '../../../domain/names.js';
import { snapshotOf } from '../../../domain/snapshot.js';
import { newBook, statusOf } from '../../../workflows/migration/book.js';
import { findRun } from '../../../starter/run/handle.js';
import { readStatus } from '../../../starter/run/status.js';

const stood = statusOf({ ...newBook('2026-01-01T00:00:00Z'), phase: 'refresh' }, { workflowId: 'w', runId: 'r', firstRunId: 'r' }, []);
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

/** A server with one run, what it has left, and whether a worker answers. */
class Server {
  asked = 0;
  state = 'RUNNING';
  memo: Record<string, unknown> = {};
  answer: () => Promise<unknown> = () => new Promise(() => undefined);

  get client(): Client {
    const handle = {
      describe: () => Promise.resolve({ runId: 'r', workflowId: 'w', status: { name: this.state }, memo: this.memo, startTime: new Date(), searchAttributes: {}, raw: {} }),
      query: () => {
        this.asked += 1;
        return this.answer();
      },
      result: () => Promise.reject(new Error('terminated')),
    };
    const client = { options: {}, withDeadline: (_: number, ask: () => unknown) => ask(), withAbortSignal: (_: AbortSignal, ask: () => unknown) => ask(), workflow: { getHandle: () => handle } };
    return client as unknown as Client;
  }

  async seen() {
    return readStatus(this.client, await findRun(this.client, 'prod'));
  }
}

/** What the server says where no worker polls. */
function nobody(): Promise<never> {
  return Promise.reject(Object.assign(new Error('no poller'), { code: 9, details: '', metadata: {} }));
}

describe('the status of a run', () => {
  it('is its own answer, whatever it has left, where it answers soon', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: snapshotOf({ ...stood, phase: 'label' }, ago(1)) };
    server.answer = () => Promise.resolve(stood);
    expect(await server.seen()).toEqual({ status: stood, instead: null });
  });

  it('is what it has left some seconds ago where it is busy, and that is said', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: snapshotOf(stood, ago(8)) };
    expect(await server.seen()).toMatchObject({ status: { phase: 'refresh', state: 'running', asOf: expect.any(String) as string }, instead: expect.stringContaining('has not answered yet') as string });
    expect(server.asked).toBe(1);
  });

  it('is not asked of a run that is about to continue as new: a worker would replay all of it', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: { ...snapshotOf(stood, ago(1)), continuesAsNew: true } };
    expect(await server.seen()).toMatchObject({ status: { phase: 'refresh' } });
    expect(server.asked).toBe(0);
  });

  it('is asked of one that said so long ago', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: { ...snapshotOf(stood, ago(60)), continuesAsNew: true } };
    server.answer = () => Promise.resolve(stood);
    expect(await server.seen()).toEqual({ status: stood, instead: null });
  });

  it('is waited for where what was left is old: it may not be true any more', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: snapshotOf(stood, ago(60)) };
    server.answer = () => new Promise((resolve) => setTimeout(() => resolve(stood), 600));
    expect(await server.seen()).toEqual({ status: stood, instead: null });
  });

  it('is what was left, however old, where no worker is there', async () => {
    const server = new Server();
    server.memo = { [SNAPSHOT_MEMO]: snapshotOf(stood, '2026-01-01T00:00:00.000Z') };
    server.answer = nobody;
    const { status, instead } = await server.seen();
    expect(status).toMatchObject({ phase: 'refresh', problem: expect.stringContaining('no worker answers') as string });
    expect(instead).toBe('no worker answers: this is how it stood at 2026-01-01 00:00:00Z');
  });

  it('is that it has begun, where no worker has taken it up yet', async () => {
    const server = new Server();
    expect(await server.seen()).toMatchObject({ status: { phase: 'preflight', state: 'running', problem: null, asOf: expect.any(String) as string } });
  });

  it('never waits for anything once the run was ended from outside', async () => {
    const server = new Server();
    server.state = 'TERMINATED';
    server.memo = { [SNAPSHOT_MEMO]: snapshotOf(stood, ago(1)) };
    server.answer = nobody;
    expect((await server.seen()).status).toMatchObject({ state: 'failed', problem: expect.stringContaining('ciliate release prod') as string });
  });
});
