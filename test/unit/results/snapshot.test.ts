import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeProgress } from '../../../domain/refresh.js';
import { newsOf, snapshotOf } from '../../../domain/snapshot.js';
import type { MigrationStatus } from '../../../domain/status.js';
import { initialControl } from '../../../domain/control.js';
import { newBook, statusOf } from '../../../workflows/migration/book.js';

const ids = { workflowId: 'cilium-migration/prod', runId: 'r', firstRunId: 'r' };

function progress(id: number, firm: boolean): NodeProgress {
  const node = { name: `ip-10-0-${id}.eu-central-1.compute.internal`, uid: `0000-${id}`, instanceId: `i-0123456789abc${id}`, group: 'workers', zone: 'eu-central-1a' };
  const blocker = { object: `Pod shop/cart-${id}`, reason: 'PDB shop/cart needs 2 healthy, has 2', todo: 'scale it up', since: '2026-01-01T00:00:00Z', firm };
  return { node, step: 'drain', since: '2026-01-01T00:00:00Z', blockers: [blocker, { ...blocker, object: 'x' }, { ...blocker, object: 'y' }], paused: false };
}

/** A run with many nodes in flight, some of them blocked, and a gate that shows much. */
const statuses = fc.record({ firm: fc.array(fc.boolean(), { maxLength: 1_000 }), lines: fc.nat(2_000), spoken: fc.nat(200) }).map(({ firm, lines, spoken }): MigrationStatus => {
  const shows = Array.from({ length: lines }, (_, line) => `line ${line}`);
  const book = newBook('2026-01-01T00:00:00Z');
  const audit = Array.from({ length: spoken }, (_, at) => ({ at: `t${at}`, verb: 'set', by: 'me', reason: 'r' }));
  book.control = { ...initialControl(book.control.settings), gate: { gate: 'after-canary', digest: 'd', shows, since: 't' }, audit };
  return statusOf(book, ids, firm.map((is, id) => progress(id, is)));
});

describe('the snapshot that a run leaves', () => {
  it('is below what Temporal warns of, whatever is in flight, and counts what it leaves out', () => {
    fc.assert(
      fc.property(statuses, (status) => {
        const snapshot = snapshotOf(status, '2026-01-01T00:00:01Z');
        expect(Buffer.byteLength(JSON.stringify({ ...snapshot, continuesAsNew: true }))).toBeLessThan(1_900);
        const { status: left } = snapshot;
        expect(left).toMatchObject({ asOf: '2026-01-01T00:00:01Z', gate: { digest: 'd' }, nodes: { counts: { inFlight: status.inFlight.length } } });
        for (const [cut, whole] of [[left.gate?.shows, status.gate?.shows], [left.blocked, status.blocked]] as const) {
          const hidden = Number(/^… and (\d+) more$/.exec(cut?.at(-1) ?? '')?.[1] ?? 0);
          expect((cut ?? []).length + hidden - (hidden > 0 ? 1 : 0)).toBe(whole?.length);
        }
      }),
    );
  });

  it('names nodes that are blocked before others', () => {
    fc.assert(
      fc.property(statuses, (status) => {
        const firm = (nodes: NodeProgress[]) => nodes.filter(({ blockers }) => blockers.some((blocker) => blocker.firm)).length;
        const { inFlight } = snapshotOf(status, 't').status;
        expect(firm(inFlight)).toBe(Math.min(firm(status.inFlight), inFlight.length));
      }),
    );
  });

  it('is whole, steps and findings apart, where little happens', () => {
    const gate = { gate: 'before-install', digest: 'd'.repeat(64), shows: ['two lines', 'of a gate'], since: '2026-01-01T00:00:00Z' } as const;
    const book = newBook('2026-01-01T00:00:00Z');
    book.control = { ...book.control, gate: { ...gate, shows: [...gate.shows] } };
    expect(snapshotOf(statusOf(book, ids, []), 't').status).toMatchObject({ gate });
    const { inFlight, blocked } = snapshotOf(statusOf(newBook('2026-01-01T00:00:00Z'), ids, [progress(1, true), progress(2, false)]), 't').status;
    expect([inFlight.length, blocked.length]).toEqual([2, 3]);
  });

  it('is written at once where a few nodes are stuck, not for each of a hundred', () => {
    const stuck = (all: number, blocked: number) => newsOf(statusOf(newBook('t'), ids, Array.from({ length: all }, (_, id) => progress(id, id < blocked))));
    expect(stuck(5, 1)).not.toBe(stuck(5, 2));
    expect(stuck(100, 0)).not.toBe(stuck(100, 1));
    expect(stuck(100, 1)).toBe(stuck(100, 30));
  });
});
