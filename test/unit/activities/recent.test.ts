import { describe, expect, it } from 'vitest';
import { Recent } from '../../../activities/aws/recent.js';

/** A server whose answers tell when they were asked for, and a clock. */
class Server {
  at = 0;
  readonly asked: string[][] = [];
  fails = false;
  /** How long an answer takes. */
  takes = 0;
  readonly recent = new Recent<string>(
    (ids) => {
      this.asked.push(ids);
      if (this.fails) return Promise.reject(new Error('throttled'));
      const answer = new Map(ids.filter((id) => id !== 'gone').map((id) => [id, `${id}@${this.at}`]));
      this.at += this.takes;
      return Promise.resolve(answer);
    },
    () => this.at,
  );
}

const many = Array.from({ length: 50 }, (_, index) => `i-${index}`);

describe('answers that waits share', () => {
  it('are asked for once, for all that wait, and at most once a second', async () => {
    const server = new Server();
    await Promise.all(many.map((id) => server.recent.read([id])));
    server.asked.length = 0;
    for (server.at = 2_000; server.at < 7_000; server.at += 50) await server.recent.read([many[(server.at / 50) % 50] ?? '']);
    expect(server.asked.length).toBeLessThanOrEqual(6);
    expect(server.asked.every((ids) => ids.length === 50)).toBe(true);
  });

  it('are never older than a second, and for a lone wait than a tenth of one', async () => {
    const server = new Server();
    await server.recent.read(['i-1']);
    server.at = 100;
    expect(await server.recent.read(['i-1'])).toEqual(['i-1@100']);
    await server.recent.read(many);
    server.at = 1_099;
    expect(await server.recent.read(['i-1'])).toEqual(['i-1@100']);
    server.at = 1_100;
    expect(await server.recent.read(['i-1'])).toEqual(['i-1@1100']);
  });

  it('are asked for less often by many where they take long, and not by a lone wait', async () => {
    const server = new Server();
    const slow = async (ids: string[]): Promise<void> => {
      server.takes = 1_000;
      await server.recent.read(ids);
      server.takes = 0;
    };
    await slow(many);
    const asked = server.asked.length;
    server.at += 2_900;
    await server.recent.read(['i-1']);
    expect(server.asked).toHaveLength(asked);
    server.at += 200;
    await server.recent.read(['i-1']);
    expect(server.asked).toHaveLength(asked + 1);

    const lone = new Server();
    lone.takes = 1_000;
    await lone.recent.read(['i-1']);
    await lone.recent.read(['i-1']);
    expect(lone.asked).toHaveLength(2);
  });

  it('have nothing of what is not there, and ask for what nobody asked for yet', async () => {
    const server = new Server();
    expect(await server.recent.read(['gone', 'i-1'])).toEqual(['i-1@0']);
    expect(await server.recent.read(['gone'])).toEqual([]);
    expect(await server.recent.read(['i-2'])).toEqual(['i-2@0']);
    expect(server.asked).toEqual([['gone', 'i-1'], ['gone', 'i-1', 'i-2']]);
  });

  it('fail for everybody who waited, and are asked for again', async () => {
    const server = new Server();
    server.fails = true;
    expect(await Promise.allSettled([server.recent.read(['i-1']), server.recent.read(['i-1'])])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(server.asked).toHaveLength(1);
    server.fails = false;
    expect(await server.recent.read(['i-1'])).toEqual(['i-1@0']);
  });

  it('forget who waits no more', async () => {
    const server = new Server();
    await server.recent.read(many);
    server.at = 60_000;
    await server.recent.read(['i-1']);
    expect(server.asked.at(-1)).toEqual(['i-1']);
  });
});
