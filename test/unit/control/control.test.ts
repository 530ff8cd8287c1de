import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accept, AUDIT_LIMIT, beginTakingBack, heardForce, ignore, initialControl, openForces, openGate, pauseItself, refusal } from '../../../domain/control.js';
import { forceOf } from '../../../domain/force.js';
import type { OpenForce } from '../../../domain/force.js';
import type { Command, Control } from '../../../domain/control.js';
import { GATES } from '../../../domain/spec/words.js';

const drain = { emptyDir: 'evict', barePods: 'block', timeLimitSeconds: 1_800, onTimeout: 'skip-to-end', surgeSingletons: false } as const;
const start = initialControl({ canarySoakSeconds: 0, maxSurge: 0, maxUnavailable: 1, failuresInARow: { canary: 1, later: 3 }, soakSeconds: 60, drain });
const me = { by: 'me', reason: 'because' };
const at = '2026-01-01T00:00:00.000Z';
const flying: Control = { ...start, flying: [{ name: 'ip-1', instanceId: 'i-1' }] };
const gated = openGate(start, { gate: 'before-install', digest: 'd1', shows: [], since: at });

describe('pause and resume', () => {
  it('fit in turn, and only in turn', () => {
    expect(refusal(start, { verb: 'resume', ...me })).toContain('not paused');
    const paused = accept(start, { verb: 'pause', ...me }, at);
    expect(paused.paused).toEqual({ ...me, at });
    expect(refusal(paused, { verb: 'pause', ...me })).toContain('already paused by me');
    expect(accept(paused, { verb: 'resume', ...me }, at).paused).toBeNull();
  });

  it('want a reason', () => {
    expect(refusal(start, { verb: 'pause', by: 'me', reason: ' ' })).toContain('"reason"');
    expect(refusal(start, { verb: 'pause' } as unknown as Command)).toContain('"reason"');
  });

  it('a run that pauses itself says why, once', () => {
    const paused = pauseItself(start, 'the add-on has no affinity', at);
    expect(paused.paused?.by).toBe('ciliate');
    expect(pauseItself(paused, 'again', at)).toBe(paused);
  });
});

describe('approve', () => {
  it.each([
    ['no open gate', start, { gate: 'before-install', digest: 'd1' }, 'saw no open gate'],
    ['another gate', gated, { gate: 'before-removal', digest: 'd1' }, 'expected gate before-install'],
    ['no gate at all', gated, { gate: 'nonsense', digest: 'd1' }, 'expected a gate (before-install, '],
    ['a stale digest', gated, { gate: 'before-install', digest: 'd0' }, 'expected digest d1'],
  ])('refuses %s', (_name, control, said, expected) => {
    expect(refusal(control, { verb: 'approve', ...said, ...me })).toContain(expected);
  });

  it('closes the gate for this digest; for another it opens again', () => {
    const approval: Command = { verb: 'approve', gate: 'before-install', digest: 'd1', ...me };
    expect(refusal(gated, approval)).toBeNull();
    const approved = accept(gated, approval, at);
    expect(approved.gate).toBeNull();
    expect(openGate(approved, { gate: 'before-install', digest: 'd1', shows: [], since: at }).gate).toBeNull();
    expect(openGate(approved, { gate: 'before-install', digest: 'd2', shows: [], since: at }).gate?.digest).toBe('d2');
  });
});

describe('the gate force of a node', () => {
  const ref = { name: 'ip-1', uid: 'node-uid', instanceId: 'i-1' };
  const pod = (name: string) => ({ uid: `uid-${name}`, namespace: 'shop', name, owner: `Deployment ${name}`, budget: `shop/${name}`, reason: 'needs 1 healthy, has 1', since: at });
  const force = forceOf({ node: ref, pods: [pod('cart'), pod('web')], since: at }, []) as OpenForce;
  const open = heardForce(flying, 'i-1', force);
  const say = (over: object): Command => ({ verb: 'approve', gate: 'force', node: 'ip-1', pods: ['shop/cart'], digest: force.digest, ...me, ...over });

  it.each([
    [{ node: undefined }, 'expected "node"'],
    [{ node: 'ip-9' }, 'open for: ip-1'],
    [{ pods: [] }, 'some of: shop/cart, shop/web'],
    [{ pods: ['shop/cart', 'shop/other'] }, 'open for (shop/cart, shop/web), saw shop/other'],
    [{ digest: 'x' }, `expected digest ${force.digest}`],
    [{ node: 'i-1' }, null],
    [{}, null],
  ])('%j: %s', (over, expected) => {
    const why = refusal(open, say(over));
    if (expected === null) expect(why).toBeNull();
    else expect(why).toContain(expected);
  });

  it('approved pods leave it, and only those; the record names them', () => {
    const approved = accept(open, say({}), at);
    expect(approved.forced).toEqual({ 'i-1': ['uid-cart'] });
    expect(openForces(approved)[0]?.pods.map(({ name }) => name)).toEqual(['web']);
    expect(approved.audit.at(-1)).toMatchObject({ verb: 'approve', on: 'force ip-1', pods: ['shop/cart'], digest: force.digest });
    // The node has not heard of it yet: what it tells is still the old gate.
    expect(openForces(heardForce(approved, 'i-1', force))[0]?.pods.map(({ name }) => name)).toEqual(['web']);
    expect(refusal(approved, say({}))).toContain('saw shop/cart');
  });

  it('stops nothing else: other gates open and close beside it', () => {
    const both = openGate(open, { gate: 'after-canary', digest: 'd1', shows: [], since: at });
    const approved = accept(both, { verb: 'approve', gate: 'after-canary', digest: 'd1', ...me }, at);
    expect(approved.gate).toBeNull();
    expect(openForces(approved)).toHaveLength(1);
    expect(accept(both, say({}), at).gate?.gate).toBe('after-canary');
  });

  it('is gone with its node, and closed when the node says so', () => {
    expect(openForces({ ...open, flying: [] })).toEqual([]);
    expect(heardForce(open, 'i-1', undefined).forces).toEqual([]);
  });

  it('is for these pods by UID, in whatever order', () => {
    const digest = (...pods: ReturnType<typeof pod>[]) => forceOf({ node: ref, pods, since: at }, [])?.digest;
    expect(digest(pod('web'), pod('cart'))).toBe(force.digest);
    expect(digest({ ...pod('web'), uid: 'reborn' }, pod('cart'))).not.toBe(force.digest);
    expect(digest()).toBeUndefined();
  });
});

describe('skip and retry', () => {
  it('know a node by name or instance id', () => {
    for (const node of ['ip-1', 'i-1']) {
      const skipped = accept(flying, { verb: 'skip', node, ...me }, at);
      expect(skipped.skipped).toEqual([{ name: 'ip-1', instanceId: 'i-1' }]);
      const landed = { ...skipped, flying: [] };
      expect(refusal(landed, { verb: 'retry', node, ...me })).toBeNull();
      expect(accept(landed, { verb: 'retry', node, ...me }, at)).toMatchObject({ skipped: [], retries: { 'i-1': 1 } });
    }
  });

  it('skip takes a node before its turn; retry does not take one that nobody knows', () => {
    expect(refusal(flying, { verb: 'skip', node: 'ip-9', ...me })).toBeNull();
    expect(refusal(flying, { verb: 'retry', node: 'ip-9', ...me })).toContain('saw ip-1; ip-9 is not among them');
  });
});

describe('set', () => {
  it.each([
    [{ soakSeconds: '5' }, null],
    [{ 'drain.barePods': 'evict' }, null],
    [{ 'failuresInARow.canary': '2', 'failuresInARow.later': '5' }, null],
    [{ 'failuresInARow.later': '0' }, 'failuresInARow.later: expected a whole number from 1 to 100'],
    [{ 'drain.timeLimitSeconds': '60', 'drain.onTimeout': 'force' }, null],
    [{ 'drain.timeLimitSeconds': '4' }, 'expected a whole number of seconds from 5'],
    [{ 'drain.onTimeout': 'never' }, 'expected skip-to-end, wait, force'],
    [{ soakSeconds: '-1' }, 'soakSeconds: expected a whole number'],
    [{ 'drain.emptyDir': 'maybe' }, 'expected evict or block'],
    [{ constructor: '1' }, 'expected one of soakSeconds'],
    [{}, 'expected at least one'],
  ])('%j: %s', (values, expected) => {
    const why = refusal(start, { verb: 'set', by: 'me', values });
    if (expected === null) expect(why).toBeNull();
    else expect(why).toContain(expected);
  });

  it('changes only what was named', () => {
    expect(accept(start, { verb: 'set', by: 'me', values: { 'drain.barePods': 'evict' } }, at).settings).toEqual({ ...start.settings, drain: { ...drain, barePods: 'evict' } });
  });

  it('a surge is refused where the spec shrinks the groups, as in the spec', () => {
    const surge = (settings: Partial<Control['settings']>, values: Record<string, string>) => refusal({ ...start, settings: { ...start.settings, ...settings } }, { verb: 'set', by: 'me', values });
    const shrinking = { shouldDecrementDesiredCapacity: true };
    for (const maxSurge of ['2', '25%']) expect(surge(shrinking, { maxSurge })).toBe('expected maxSurge 0 with shouldDecrementDesiredCapacity: groups cannot grow and shrink at once');
    expect(surge(shrinking, { maxSurge: '0%', maxUnavailable: '2' })).toBeNull();
    expect(surge({ shouldDecrementDesiredCapacity: false }, { maxSurge: '2' })).toBeNull();
    // A run that began before this was kept.
    expect(surge({}, { maxSurge: '2' })).toBeNull();
  });
});

describe('abort', () => {
  it('is the last word', () => {
    const aborting = accept(start, { verb: 'abort', ...me }, at);
    expect(refusal(aborting, { verb: 'pause', ...me })).toContain('aborting');
    expect(refusal(aborting, { verb: 'abort', ...me })).toContain('already aborting');
  });
});

const command = fc.oneof(
  fc.constantFrom('pause', 'resume', 'abort').map((verb) => ({ verb, ...me }) as Command),
  fc.record({ gate: fc.constantFrom(...GATES, 'force', 'x'), digest: fc.constantFrom('d1', 'd2') }).map((said) => ({ verb: 'approve', ...said, ...me }) as Command),
  fc.record({ verb: fc.constantFrom('skip', 'retry'), node: fc.constantFrom('ip-1', 'i-1', 'ip-2') }).map((said) => ({ ...said, ...me }) as Command),
  fc.dictionary(fc.constantFrom('soakSeconds', 'emptyDir', 'x'), fc.constantFrom('1', 'evict', 'x')).map((values) => ({ verb: 'set', by: 'me', values }) as Command),
);

describe('a run that ends and takes back its extra nodes', () => {
  const taking = { ...beginTakingBack(accept(flying, { verb: 'abort', ...me }, at)) };
  it('is told once more to abort: that leaves them', () => {
    expect(refusal(taking, { verb: 'abort', ...me })).toBeNull();
    const left = accept(taking, { verb: 'abort', by: 'you', reason: 'enough' }, at);
    expect(left).toMatchObject({ abort: me, takingBack: { calledOff: { by: 'you', reason: 'enough' } } });
    expect(refusal(left, { verb: 'abort', ...me })).toContain('as you said');
  });
  it('leaves a node that is skipped, and hears nothing else', () => {
    expect(refusal(taking, { verb: 'skip', node: 'ip-1', ...me })).toBeNull();
    expect(refusal(taking, { verb: 'skip', node: 'ip-9', ...me })).toContain('expected a node in flight');
    expect(refusal(taking, { verb: 'pause', ...me })).toContain('abort leaves all');
    expect(refusal(taking, { verb: 'set', values: { soakSeconds: '1' }, by: 'me' })).toContain('abort leaves all');
  });
});

describe('whatever is said, in whatever order', () => {
  it('what is refused changes nothing but the record; what is accepted is in the record; the record stays bounded', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        let control = { ...gated, flying: flying.flying };
        for (const said of commands) {
          const why = refusal(control, said);
          const next = why === null ? accept(control, said, at) : ignore(control, said, { at, ignored: why });
          if (why !== null) expect({ ...next, audit: [] }).toEqual({ ...control, audit: [] });
          else expect(next.version).toBeGreaterThan(control.version);
          expect(next.audit.at(-1)?.verb).toBe(said.verb);
          expect(next.audit.length).toBeLessThanOrEqual(AUDIT_LIMIT);
          control = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('nothing that a person may send makes it throw', () => {
    fc.assert(
      fc.property(fc.constantFrom('pause', 'resume', 'abort', 'approve', 'skip', 'retry', 'set'), fc.jsonValue(), (verb, value) => {
        const said = { ...(typeof value === 'object' ? value : { value }), verb } as unknown as Command;
        const why = refusal(gated, said);
        expect(why === null || typeof why === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
