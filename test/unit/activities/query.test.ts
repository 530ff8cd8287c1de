import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { queryRun } from '../../../activities/clients/query.js';

/** Answers the first, the second … question as told; what was given up fails. */
function stub(...answers: ((given: AbortSignal) => Promise<string>)[]): { client: Client; handle: WorkflowHandle; asked: () => number; givenUp: () => number } {
  let asked = 0;
  let givenUp = 0;
  let signal = new AbortController().signal;
  const client = {
    withDeadline: (_: number, ask: () => Promise<string>) => ask(),
    withAbortSignal: (given: AbortSignal, ask: () => Promise<string>) => {
      signal = given;
      given.addEventListener('abort', () => (givenUp += 1));
      return ask();
    },
  };
  const handle = { query: () => answers[asked++]?.(signal) ?? Promise.reject(new Error('asked too often')) };
  return { client: client as unknown as Client, handle: handle as unknown as WorkflowHandle, asked: () => asked, givenUp: () => givenUp };
}

const never = (): Promise<string> => new Promise(() => undefined);
const status = { query: 'status', withinMs: 5_000 };

describe('what a run is asked', () => {
  it('is asked once where it answers at once', async () => {
    const { client, handle, asked } = stub(() => Promise.resolve('of now'));
    expect(await queryRun(client, handle, status)).toBe('of now');
    await sleep(300);
    expect(asked()).toBe(1);
  });

  it('is asked again where a run that is over replays for it, and nobody waits for that', async () => {
    const { client, handle, asked, givenUp } = stub(never, () => Promise.resolve('of the next run'));
    expect(await queryRun(client, handle, status)).toBe('of the next run');
    expect([asked(), givenUp()]).toEqual([2, 2]);
  });

  it('is answered by the first of the two where only that one can', async () => {
    const { client, handle } = stub(
      () => sleep(400, 'late'),
      () => Promise.reject(new Error('the second')),
    );
    expect(await queryRun(client, handle, status)).toBe('late');
  });

  it('asks no worker a second time where the run says by itself how it ended', async () => {
    const { client, handle, asked } = stub(never);
    expect(await queryRun(client, handle, { ...status, atEnd: () => Promise.resolve('done') })).toBe('done');
    expect(asked()).toBe(1);
  });

  it('fails with what the first question failed with, not with both', async () => {
    const { client, handle } = stub(
      () => Promise.reject(new Error('the first')),
      () => Promise.reject(new Error('the second')),
    );
    await expect(queryRun(client, handle, status)).rejects.toThrow('the first');
  });
});
