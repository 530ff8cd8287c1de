import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { queryRun } from '../../../activities/clients/query.js';

/** A server with some runs of a workflow, each with what it answers. */
class Server {
  asked: string[] = [];
  givenUp = 0;
  answers: Record<string, () => Promise<string>> = {};
  now = { runId: 'first', status: { name: 'RUNNING' } };

  get client(): Client {
    const client = {
      withDeadline: (_: number, ask: () => Promise<string>) => ask(),
      withAbortSignal: (given: AbortSignal, ask: () => Promise<string>) => {
        given.addEventListener('abort', () => (this.givenUp += 1));
        return ask();
      },
      workflow: { getHandle: (_: string, runId?: string) => ({ describe: () => Promise.resolve(this.now), query: () => this.#answer(runId ?? this.now.runId) }) },
    };
    return client as unknown as Client;
  }

  #answer(runId: string): Promise<string> {
    this.asked.push(runId);
    return this.answers[runId]?.() ?? never();
  }
}

const never = (): Promise<string> => new Promise(() => undefined);
const run = { workflowId: 'w', runId: 'first' };
const status = { query: 'status', withinMs: 5_000 };

describe('what a run is asked', () => {
  it('is asked once where it answers, however long that takes', async () => {
    const server = new Server();
    server.answers['first'] = () => sleep(700, 'late');
    expect(await queryRun(server.client, run, status)).toBe('late');
    expect(server.asked).toEqual(['first']);
  });

  it('is asked of the next run where one that is over replays for it, and of the one after that', async () => {
    const server = new Server();
    server.now = { ...server.now, runId: 'second' };
    server.answers['third'] = () => Promise.resolve('of the third');
    const answer = queryRun(server.client, run, status);
    await sleep(400);
    server.now = { ...server.now, runId: 'third' };
    expect(await answer).toBe('of the third');
    expect(server.asked).toEqual(['first', 'second', 'third']);
    expect(server.givenUp).toBe(3);
  });

  it('is answered by whichever run can', async () => {
    const server = new Server();
    server.now = { ...server.now, runId: 'second' };
    server.answers = { first: () => sleep(600, 'of the first'), second: () => Promise.reject(new Error('the second')) };
    expect(await queryRun(server.client, run, status)).toBe('of the first');
  });

  it('asks no worker where the run says by itself how it ended', async () => {
    const server = new Server();
    server.now = { runId: 'first', status: { name: 'COMPLETED' } };
    expect(await queryRun(server.client, run, { ...status, atEnd: () => Promise.resolve('done') })).toBe('done');
    expect(server.asked).toEqual(['first']);
  });

  it('fails at once with what the only question failed with', async () => {
    const server = new Server();
    server.answers['first'] = () => Promise.reject(new Error('no worker'));
    await expect(queryRun(server.client, run, status)).rejects.toThrow('no worker');
  });

  it('is answered with what is known meanwhile, where there is no answer soon', async () => {
    const server = new Server();
    expect(await queryRun(server.client, run, { ...status, meanwhile: { afterMs: 100, say: () => 'left' } })).toBe('left');
    expect(server.givenUp).toBe(1);
  });

  it('waits for the answer where nothing is known, or it comes in time', async () => {
    const server = new Server();
    server.answers['first'] = () => sleep(400, 'late');
    expect(await queryRun(server.client, run, { ...status, meanwhile: { afterMs: 0, say: () => undefined } })).toBe('late');
    expect(await queryRun(server.client, run, { ...status, meanwhile: { afterMs: 5_000, say: () => 'left' } })).toBe('late');
  });
});
