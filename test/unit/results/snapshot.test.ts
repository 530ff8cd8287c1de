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
  it('is short, whatever is in flight, and counts what it leaves out', () => {
    fc.assert(
      fc.property(statuses, (status) => {
        const left = snapshotOf(status, '2026-01-01T00:00:01Z');
        expect(JSON.stringify(left).length).toBeLessThan(16_384);
        expect(left).toMatchObject({ asOf: '2026-01-01T00:00:01Z', nodes: { counts: { inFlight: status.inFlight.length } } });
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
        const left = snapshotOf(status, 't');
        expect(firm(left.inFlight)).toBe(Math.min(firm(status.inFlight), 10));
        expect(left.inFlight).toHaveLength(Math.min(status.inFlight.length, 10));
      }),
    );
  });

  it('is written at once where a few nodes are stuck, not for each of a hundred', () => {
    const stuck = (all: number, blocked: number) => newsOf(statusOf(newBook('t'), ids, Array.from({ length: all }, (_, id) => progress(id, id < blocked))));
    expect(stuck(5, 1)).not.toBe(stuck(5, 2));
    expect(stuck(100, 0)).not.toBe(stuck(100, 1));
    expect(stuck(100, 1)).toBe(stuck(100, 30));
  });
});
