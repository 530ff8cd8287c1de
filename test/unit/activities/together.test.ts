import { describe, expect, it, vi } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { together } from '../../../activities/aws/together.js';

/** What comes late on a busy machine is not wrong. */
const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 30_000 });

/** A server that answers when the test says so: what it knew as it was asked. */
class Server {
  readonly asked: string[][] = [];
  now = 0;
  readonly #answers: ((failure?: Error) => void)[] = [];
  readonly #clients = {} as Clients;
  readonly #read = together(
    (_clients, ids) => {
      this.asked.push(ids);
      const found = ids.filter((id) => id !== 'gone').map((id) => `${id}@${this.now}`);
      return new Promise<string[]>((resolve, reject) => this.#answers.push((failure) => (failure === undefined ? resolve(found) : reject(failure))));
    },
    (found) => found.split('@')[0],
    3,
  );

  read(id: string): Promise<string | undefined> {
    return this.#read(this.#clients, id);
  }

  async answer(failure?: Error): Promise<void> {
    await until(() => this.#answers.length > 0);
    this.#answers.shift()?.(failure);
  }
}

describe('reads that are made together', () => {
  it('are one call, whoever asks how often', async () => {
    const server = new Server();
    const read = Promise.all(['a', 'b', 'a', 'gone'].map((id) => server.read(id)));
    await server.answer();
    await server.answer();
    expect(await read).toEqual(['a@0', 'b@0', 'a@0', undefined]);
    // Three to a call.
    expect(server.asked).toEqual([['a', 'b'], ['gone']]);
  });

  it('are never older than their question', async () => {
    const server = new Server();
    const first = server.read('a');
    await until(() => server.asked.length === 1);
    server.now = 1;
    const later = Promise.all([server.read('a'), server.read('b')]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.asked).toHaveLength(1);
    server.now = 2;
    await server.answer();
    expect(await first).toBe('a@0');
    await server.answer();
    expect(await later).toEqual(['a@2', 'b@2']);
    expect(server.asked).toEqual([['a'], ['a', 'b']]);
  });

  it('that fail do so for those who asked, and the next is asked for', async () => {
    const server = new Server();
    const failed = Promise.allSettled([server.read('a'), server.read('b')]);
    await until(() => server.asked.length === 1);
    const next = server.read('a');
    await server.answer(new Error('throttled'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await server.answer();
    expect(await next).toBe('a@0');
  });
});
