import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClusterEvents } from '../../../activities/clients/events.js';
import type { ClusterEvent, EventSource } from '../../../activities/clients/events.js';
import { admitsMore } from '../../../activities/kubernetes/admitNodes.js';
import { kubeClients } from '../../../activities/clients/kube.js';
import { linger, MOST_LINGERING, SLOTS } from '../../../activities/linger.js';
import { look } from '../../../activities/look.js';
import { CiliateError } from '../../../domain/failures.js';

/** An API server that knows lists of nothing and watches, and what was asked of it. */
class FakeApi {
  readonly watches = new Map<string, ServerResponse>();
  readonly asked: string[] = [];
  refuse = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      this.asked.push(`${url.searchParams.has('watch') ? 'watch' : 'list'} ${url.pathname}@${url.searchParams.get('resourceVersion') ?? ''}`);
      if (this.refuse) response.statusCode = 403;
      response.setHeader('content-type', 'application/json');
      if (!url.searchParams.has('watch') || this.refuse) return void response.end('{"metadata":{"resourceVersion":"7"},"items":[]}');
      response.flushHeaders();
      this.watches.set(url.pathname, response);
    });
  }

  async listening(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  events(): ClusterEvents {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`, skipTLSVerify: true }, { name: 'u', token: 't' });
    return new ClusterEvents(kubeClients(config, () => undefined));
  }

  async send(path: string, type: string, object: object): Promise<void> {
    await expect.poll(() => this.watches.has(path)).toBe(true);
    this.watches.get(path)?.write(`${JSON.stringify({ type, object })}\n`);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const node = (name: string, version = '8'): object => ({ metadata: { name, resourceVersion: version } });
const named = (name: string) => (event: ClusterEvent) => event.kind === 'Node' && event.object.metadata?.name === name;

describe('what could let another node start', () => {
  const told = (name: string, over: { ready?: string; unschedulable?: boolean; at?: string } = {}): ClusterEvent => ({
    kind: 'Node', type: 'MODIFIED',
    object: { metadata: { name, uid: name, labels: {} }, spec: { unschedulable: over.unschedulable }, status: { conditions: [{ type: 'Ready', status: over.ready ?? 'True', lastHeartbeatTime: new Date(over.at ?? 0) }] } },
  });

  it('is a node that changed, and none that only says that it is alive', () => {
    const matters = admitsMore();
    expect(matters(told('a'))).toBe(true);
    expect(matters(told('a', { at: '2026-01-01T00:00:10Z' }))).toBe(false);
    expect(matters(told('b'))).toBe(true);
    expect(matters(told('a', { unschedulable: true }))).toBe(true);
    expect(matters(told('a', { ready: 'Unknown', unschedulable: true }))).toBe(true);
    expect(matters({ ...told('a', { ready: 'Unknown', unschedulable: true }), type: 'DELETED' })).toBe(true);
    expect(matters(told('b'))).toBe(false);
  });
});

describe('ClusterEvents', () => {
  let api: FakeApi;
  let events: ClusterEvents;
  beforeEach(async () => {
    api = new FakeApi();
    await api.listening();
    events = api.events();
  });
  afterEach(() => {
    events.close();
    api.close();
  });

  it('wakes who cares for the object, and nobody else', async () => {
    const mine = events.listen(named('a'));
    const other = events.listen(named('b'));
    const waits = mine.next(20_000);
    await api.send('/api/v1/nodes', 'MODIFIED', node('a'));
    expect(await waits).toBe(true);
    expect(await other.next(1)).toBe(false);
  });

  it('keeps what happened between two waits', async () => {
    const mine = events.listen(named('a'));
    const later = events.listen(named('z'));
    await api.send('/api/v1/nodes', 'ADDED', node('a'));
    await api.send('/api/v1/nodes', 'ADDED', node('z'));
    await later.next(20_000);
    expect(await mine.next(20_000)).toBe(true);
    expect(await mine.next(1)).toBe(false);
  });

  it('is one stream a kind, however many listen; it begins with now', async () => {
    for (let i = 0; i < 20; i++) events.listen(() => false);
    await expect.poll(() => api.watches.size).toBe(3);
    expect(api.asked.filter((line) => line.startsWith('watch')).sort()).toEqual(['watch /api/v1/nodes@7', 'watch /api/v1/pods@7', 'watch /apis/policy/v1/poddisruptionbudgets@7']);
  });

  it('goes on where a stream ended', async () => {
    const mine = events.listen(named('a'));
    await api.send('/api/v1/nodes', 'MODIFIED', node('other', '41'));
    const first = api.watches.get('/api/v1/nodes');
    first?.end();
    await expect.poll(() => api.watches.get('/api/v1/nodes') !== first).toBe(true);
    expect(api.asked).toContain('watch /api/v1/nodes@41');
    await api.send('/api/v1/nodes', 'MODIFIED', node('a', '42'));
    expect(await mine.next(20_000)).toBe(true);
  });

  it('only waits out its time where watching is forbidden', async () => {
    api.refuse = true;
    expect(await events.listen(() => true).next(50)).toBe(false);
  });

  it('keeps what it saw, for plans: the list, and what happened since', async () => {
    expect(await events.snapshot()).toEqual({ nodes: [], pods: [], budgets: [] });
    const mine = events.listen(named('b'));
    const taint = { key: 'k', effect: 'NoSchedule' };
    await api.send('/api/v1/nodes', 'ADDED', { metadata: { name: 'a', uid: 'u-a', resourceVersion: '8', creationTimestamp: '2026-01-01T00:00:00Z', managedFields: [{}] }, spec: { taints: [taint] }, status: { images: [{}] } });
    await api.send('/api/v1/nodes', 'ADDED', { metadata: { name: 'b', uid: 'u-b', resourceVersion: '9' } });
    expect(await mine.next(20_000)).toBe(true);
    const { nodes } = await events.snapshot();
    expect(nodes.map(({ metadata }) => metadata?.name)).toEqual(['a', 'b']);
    expect(nodes[0]).toMatchObject({ metadata: { creationTimestamp: new Date('2026-01-01') }, spec: { taints: [taint] } });
    expect(JSON.stringify(nodes)).not.toMatch(/images|managedFields/);
    const gone = events.listen(named('a'));
    await api.send('/api/v1/nodes', 'DELETED', { metadata: { name: 'a', uid: 'u-a', resourceVersion: '10' } });
    await gone.next(20_000);
    expect((await events.snapshot()).nodes.map(({ metadata }) => metadata?.name)).toEqual(['b']);
  });

  it('that are closed are no empty cluster: a worker that stops must not think that all nodes are done', async () => {
    events.close();
    await expect(events.snapshot()).rejects.toMatchObject({ kind: 'Transient', code: 'Unwatchable' });
  });

  it('wakes everybody when it is closed', async () => {
    const waits = events.listen(() => false).next(60_000);
    events.close();
    await waits;
    expect(events.closed).toBe(true);
  });

  it('ends a wait when it is cancelled', async () => {
    const stop = new AbortController();
    const waits = events.listen(() => false).next(60_000, stop.signal);
    stop.abort();
    expect(await waits).toBe(false);
  });
});

describe('linger', () => {
  /** Events that a test makes itself. */
  class ByHand implements EventSource {
    closed = false;
    close = () => undefined;
    snapshot = () => Promise.resolve({ nodes: [], pods: [], budgets: [] });
    waits: number[] = [];
    since = 0;
    happen: (() => void) | undefined;
    listen() {
      return {
        next: async (ms: number) => {
          this.waits.push(ms);
          this.since = Date.now();
          await new Promise<void>((resolve) => (this.happen = resolve));
          return true;
        },
        end: () => undefined,
      };
    }
  }
  const blockers = [{ object: 'Pod a/b', reason: 'waits', todo: '' }];
  const notYet = () => new CiliateError('NotYet', 'Pod a/b: waits.', { code: 'NotYet' });
  const pass = (answers: (boolean | Error)[]) => {
    let calls = 0;
    return Object.assign(
      () => {
        const answer = answers[Math.min(calls++, answers.length - 1)];
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve(look({ known: '', done: answer === true, blockers, seenOf: 1, extra: {} }));
      },
      { calls: () => calls },
    );
  };
  const during = (ageMs: number, run: () => Promise<unknown>) => new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - ageMs }).run(run);

  it('looks again at an event, within the same attempt', async () => {
    const events = new ByHand();
    const looks = pass([notYet(), notYet(), true]);
    const done = during(0, () => linger({ events }, () => true, looks));
    for (const count of [1, 2]) {
      await expect.poll(() => events.waits.length).toBe(count);
      events.happen?.();
    }
    expect(await done).toMatchObject({ done: true });
    expect(looks.calls()).toBe(3);
    expect(Math.min(...events.waits)).toBeGreaterThanOrEqual(200);
  });

  it('an old wait holds no slot: its attempt ends with the first look', async () => {
    const events = new ByHand();
    await expect(during(60_000, () => linger({ events }, () => true, pass([notYet()])))).rejects.toMatchObject({ kind: 'NotYet' });
    expect(events.waits).toEqual([]);
  });

  it('comes when a server said so, not sooner, and lets every other failure through', async () => {
    const events = new ByHand();
    const later = new CiliateError('NotYet', 'x', { retryAfterMs: 10_000 });
    await expect(during(0, () => linger({ events }, () => true, pass([later])))).rejects.toBe(later);
    const broken = new Error('x');
    await expect(during(0, () => linger({ events }, () => true, pass([broken])))).rejects.toBe(broken);
    expect(events.waits).toEqual([]);
  });

  it('a worker that stops is not kept waiting', async () => {
    const events = new ByHand();
    events.closed = true;
    await expect(during(0, () => linger({ events }, () => true, pass([notYet()])))).rejects.toMatchObject({ kind: 'NotYet' });
    expect(events.waits).toEqual([]);
  });

  it('only so many linger at once, a crowd of them less eagerly; the others leave their slots', async () => {
    const events = Array.from({ length: 23 }, () => new ByHand());
    const last = new ByHand();
    const waiting = events.map((source) => during(0, () => linger({ events: source, mostLingering: events.length }, () => true, pass([notYet(), true]))));
    // Twenty listen at once, the others when a second has passed.
    await expect.poll(() => events.filter(({ waits }) => waits.length === 1).length).toBe(events.length);
    const begins = events.map(({ since }) => since).sort((a, b) => a - b);
    expect(begins[20]! - begins[19]!).toBeGreaterThan(900);
    const one = (ageMs: number): Promise<unknown> => during(ageMs, () => linger({ events: last, mostLingering: events.length }, () => true, pass([notYet(), true])));
    await expect(one(0)).rejects.toMatchObject({ kind: 'NotYet', code: 'NotYet', message: 'Pod a/b: waits.', retryAfterMs: 1_000 });
    // A tenth of the time waited, as ever.
    const began = Date.now();
    const { retryAfterMs } = (await one(30_000).catch((error: unknown) => error)) as CiliateError;
    expect(retryAfterMs).toBeGreaterThanOrEqual(3_000);
    expect(retryAfterMs).toBeLessThanOrEqual((30_000 + Date.now() - began) / 10);
    expect(last.waits).toEqual([]);
    for (const source of events) source.happen?.();
    expect(await Promise.all(waiting)).toHaveLength(events.length);
  });

  it('leaves slots for those who do something', () => {
    expect(MOST_LINGERING).toBeLessThan(SLOTS);
  });
});
