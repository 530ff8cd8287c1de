import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryKey, givingBack, taking, withEntry, withoutEntry } from '../../../domain/ledger.js';
import type { Entries, GuardEntry } from '../../../domain/ledger.js';

const OURS = 'true';
const base: GuardEntry = { kind: 'cordon', set: 'node', object: 'Node a', id: 'uid-a', name: 'a', prior: null, ours: OURS, at: 't0' };

/** One object with one value, its ledger, and who set the value last: a small world to run histories on. */
class World {
  entries: Entries = {};
  setBy: 'us' | 'others' = 'others';
  clock = 0;
  /** Values that others wished for, after which nothing of ours may stand. */
  constructor(
    public value: string | null,
    readonly tells: boolean,
  ) {}

  now() {
    return { value: this.value, setBy: this.tells ? this.setBy : ('unknown' as const) };
  }

  /** Takes the guard; `crash` stops between ledger and change. */
  take(crash: boolean): void {
    const key = entryKey(base);
    const verdict = taking(this.now(), this.entries[key], { ...base, prior: this.value, at: `t${this.clock++}` });
    if (verdict.act !== 'set') return;
    this.entries = withEntry(this.entries, verdict.entry);
    if (crash) return;
    this.value = OURS;
    this.setBy = 'us';
  }

  /** Gives back; `crash` stops between change and ledger. */
  giveBack(crash: boolean): string | undefined {
    const entry = this.entries[entryKey(base)];
    if (entry === undefined) return undefined;
    const verdict = givingBack(entry, this.now());
    if (verdict.act === 'restore') {
      this.value = entry.prior;
      this.setBy = 'us';
    }
    if (!crash) this.entries = withoutEntry(this.entries, entry);
    return verdict.act;
  }

  foreign(value: string | null): void {
    if (this.value === value) return;
    this.value = value;
    this.setBy = 'others';
  }
}

const value = fc.constantFrom<string | null>(null, 'true', 'false');
const step = fc.oneof(
  fc.record({ do: fc.constant('take' as const), crash: fc.boolean() }),
  fc.record({ do: fc.constant('giveBack' as const), crash: fc.boolean() }),
);

describe('guards ledger', () => {
  it('gives back exactly what stood there before, whatever crashed on the way', () => {
    fc.assert(
      fc.property(value, fc.boolean(), fc.array(step, { maxLength: 12 }), (prior, tells, steps) => {
        const world = new World(prior, tells);
        for (const each of steps) world[each.do](each.crash);
        world.take(false);
        expect(world.value).toBe(OURS);
        world.giveBack(true);
        world.giveBack(false);
        expect(world.value).toBe(prior);
        expect(world.entries).toEqual({});
      }),
    );
  });

  it("never undoes what somebody else set after us, and says whose it is now", () => {
    fc.assert(
      fc.property(value, fc.array(step, { maxLength: 8 }), fc.constantFrom<string | null>(null, 'false', 'other'), (prior, steps, wish) => {
        const world = new World(prior, true);
        for (const each of steps) world[each.do](each.crash);
        world.take(false);
        fc.pre(world.value !== wish);
        world.foreign(wish);
        world.giveBack(false);
        expect(world.value).toBe(wish);
      }),
    );
  });

  it('a node that somebody else had cordoned stays cordoned, and gets no entry', () => {
    const world = new World(OURS, true);
    world.take(false);
    expect(world.entries).toEqual({});
    world.giveBack(false);
    expect(world.value).toBe(OURS);
  });

  it('an entry whose change never happened does not claim a cordon that somebody made meanwhile', () => {
    const world = new World(null, true);
    world.take(true);
    world.foreign(OURS);
    expect(world.giveBack(false)).toBe('left');
    expect(world.value).toBe(OURS);
  });

  it('strikes out only the very entry that was given back', () => {
    const newer = { ...base, at: 't9' };
    expect(withoutEntry(withEntry({}, newer), base)).toEqual(withEntry({}, newer));
  });

  it('an object that is gone needs nothing', () => {
    expect(givingBack(base, undefined)).toEqual({ act: 'drop' });
  });
});
