import { ApiException } from '@kubernetes/client-node';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { failureInterceptors, toFailure } from '../../../activities/failures.js';
import { carriedNow, carry, look } from '../../../activities/look.js';
import { CiliateError } from '../../../domain/failures.js';

const api = (code: number, body: object = {}, headers: Record<string, string> = {}): ApiException<unknown> => new ApiException(code, 'x', JSON.stringify(body), { 'x-ciliate-request': 'GET /api/v1/nodes', ...headers });
const aws = (name: string, status = 400): Error => Object.assign(new Error('said'), { name, $metadata: { httpStatusCode: status }, $fault: status >= 500 ? 'server' : 'client' });

describe('toFailure', () => {
  it.each([
    ['a conflict', api(409), 'Transient'],
    ['an internal error', api(500), 'Transient'],
    ['unavailable', api(503), 'Transient'],
    ['too many requests', api(429), 'Throttled'],
    ['forbidden', api(403), 'Permanent'],
    ['unprocessable', api(422), 'Permanent'],
    ['unauthorized', api(401), 'Transient'],
    ['a refused connection', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'Transient'],
    ['a wrapped socket error', new Error('outer', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }), 'Transient'],
    ['a bad certificate', Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'Permanent'],
    ['AWS throttling', aws('ThrottlingException'), 'Throttled'],
    ['EC2 throttling', aws('RequestLimitExceeded', 503), 'Throttled'],
    ['a busy group', aws('ScalingActivityInProgressFault'), 'Transient'],
    ['an AWS outage', aws('InternalFailure', 500), 'Transient'],
    ['AWS denial', aws('AccessDenied', 403), 'Permanent'],
    ['expired AWS credentials', aws('ExpiredTokenException'), 'Transient'],
    ['a bug', new TypeError('x is not a function'), 'Permanent'],
  ])('%s', (_name, error, kind) => {
    const failure = toFailure(error);
    expect(failure.type).toBe(kind);
    expect(failure.nonRetryable).toBe(kind === 'Permanent');
  });

  it('names the request, and what forbade it', () => {
    const failure = toFailure(api(403, { message: 'nodes is forbidden: User "u" cannot list resource "nodes"' }));
    expect(failure.message).toMatch(/GET \/api\/v1\/nodes.*cannot list resource "nodes".*Grant that verb/);
    expect(failure.details?.[0]).toMatchObject({ code: 'Forbidden' });
  });

  it("waits as long as the server asked for", () => {
    expect(toFailure(api(429, { details: { retryAfterSeconds: 7 } })).nextRetryDelay).toBe(7000);
    expect(toFailure(api(429, {}, { 'retry-after': '3' })).nextRetryDelay).toBe(3000);
  });

  it('NotYet is benign and brings its code; an own kind is kept', () => {
    const failure = toFailure(new CiliateError('NotYet', 'Pod a/b: waits. x', { code: 'NotYet' }));
    expect([failure.category, failure.nonRetryable, failure.details]).toEqual(['BENIGN', false, [{ code: 'NotYet' }]]);
    expect(toFailure(new CiliateError('NeedsHuman', 'x')).nonRetryable).toBe(true);
  });

  it('believes "unauthorized" for a while only', () => {
    expect(toFailure(api(401), 10_000).type).toBe('Transient');
    expect(toFailure(api(401), 120_000).type).toBe('Permanent');
  });
});

describe('look', () => {
  const blockers = [{ object: 'Pod a/b', reason: 'waits', todo: 'Wait.' }];
  it('returns once for what is new, then says not yet; returns again when something changed', () => {
    const first = look({ known: '', done: false, blockers, seenOf: 1, extra: { n: 1 } });
    expect(first).toMatchObject({ done: false, n: 1, blockers });
    expect(() => look({ known: first.seen, done: false, blockers, seenOf: 1, extra: {} })).toThrow('Pod a/b: waits. Wait.');
    expect(look({ known: first.seen, done: false, blockers, seenOf: 2, extra: {} }).seen).not.toBe(first.seen);
    expect(look({ known: first.seen, done: true, blockers, seenOf: 1, extra: {} })).toMatchObject({ done: true, blockers: [] });
  });

  it('where a wait goes through many states, tells a new one only after a while, but what is firm or done at once', async () => {
    const at = (ageMs: number, over: { firm?: boolean; done?: boolean } = {}) =>
      new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - ageMs }).run(() =>
        Promise.resolve().then(() => look({ known: 'before', done: over.done ?? false, blockers: [{ object: 'Node a', reason: 'waits', todo: '', firm: over.firm }], seenOf: 2, settle: { ms: 3_000, firm: false }, extra: {} })),
      );
    await expect(at(1_000)).rejects.toThrow('Node a: waits.');
    expect(await at(4_000)).toMatchObject({ done: false });
    expect(await at(1_000, { firm: true })).toMatchObject({ done: false });
    expect(await at(1_000, { done: true })).toMatchObject({ done: true });
  });

  it('tells what is seen first at once, or where it often is over soon, when it lasts', async () => {
    const seen = (ageMs: number, first: boolean) =>
      new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - ageMs }).run(() =>
        Promise.resolve().then(() => look({ known: '', done: false, blockers: [{ object: 'Node a', reason: 'waits', todo: '' }], seenOf: 1, settle: { ms: 3_000, firm: true, first }, extra: {} })),
      );
    expect(await seen(0, false)).toMatchObject({ done: false, blockers: [{ reason: 'waits' }] });
    await expect(seen(0, true)).rejects.toMatchObject({ kind: 'NotYet' });
    expect(await seen(4_000, true)).toMatchObject({ done: false, blockers: [{ reason: 'waits' }] });
  });

  it('tells ten blockers at most, firm ones first, and how many more there are', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ object: `Pod a/${index}`, reason: 'waits', todo: '', firm: index > 35 }));
    const told = look({ known: '', done: false, blockers: many, seenOf: 1, extra: {} }).blockers;
    expect(told).toHaveLength(10);
    expect(told.slice(0, 5).map(({ object }) => object)).toEqual(['Pod a/36', 'Pod a/37', 'Pod a/38', 'Pod a/39', 'Pod a/0']);
    expect(told.at(-1)).toMatchObject({ object: '31 more', firm: true });
  });
});

describe('FailureInterceptor', () => {
  const run = async (environment: MockActivityEnvironment, activity: () => Promise<unknown>): Promise<unknown> => {
    const execute = failureInterceptors()(environment.context).inbound?.execute;
    return environment.run(() => execute?.({ args: [], headers: {} }, activity as never) ?? Promise.resolve());
  };

  it('maps errors', async () => {
    const failure = await run(new MockActivityEnvironment(), () => Promise.reject(api(409))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect((failure as ApplicationFailure).type).toBe('Transient');
  });

  it('heartbeats while an activity runs, with what it carries', async () => {
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    await run(environment, async () => {
      carry({ evicted: 3 });
      await new Promise((resolve) => setTimeout(resolve, 2_300));
    });
    expect(beats).toEqual([{ evicted: 3 }, { evicted: 3 }]);
  });

  it('gives the next attempt what the one before carried', async () => {
    const environment = new MockActivityEnvironment({ heartbeatDetails: { evicted: 2 } });
    await run(environment, () => Promise.resolve(expect(carriedNow()).toEqual({ evicted: 2 })));
  });

  it('passes a cancellation on as one', async () => {
    const environment = new MockActivityEnvironment();
    const running = run(environment, async () => {
      environment.cancel('CANCELLED');
      await Promise.reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError' }));
    });
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });
});
