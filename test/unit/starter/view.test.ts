import { describe, expect, it } from 'vitest';
import type { MigrationStatus } from '../../../domain/status.js';
import { frame } from '../../../starter/view/frame.js';
import { changes } from '../../../starter/view/lines.js';
import { since } from '../../../starter/view/time.js';

const NOW = new Date('2026-01-02T03:10:00Z');
const node = { name: 'ip-10-0-0-4', uid: 'u', instanceId: 'i-1', group: 'workers', zone: 'a' };
const base: MigrationStatus = {
  version: 1, migration: 'prod', workflowId: 'cilium-migration/prod', runId: 'r', state: 'running', phase: 'refresh', since: '2026-01-02T03:05:00Z',
  startedAt: '2026-01-02T03:00:00Z', gate: null, forces: [], paused: null, counts: { aws: 2, cilium: 1, pending: 0 }, nodes: { done: 1, total: 3, skipped: [], failed: [], postponed: [], counts: { skipped: 0, failed: 0, postponed: 0, inFlight: 0 }, pages: 0 },
  awaits: [],
  inFlight: [{ node, step: 'drain', since: '2026-01-02T03:09:30Z', blockers: [{ object: 'Pod shop/cart', reason: 'PDB shop/cart needs 2 healthy, has 2', todo: 'scale it up' }], paused: false }],
  blocked: ['Pod shop/cart: PDB shop/cart needs 2 healthy, has 2'], findings: [],
  phases: [{ phase: 'label', startedAt: '2026-01-02T03:01:00Z', endedAt: '2026-01-02T03:01:05Z', note: '3 nodes labelled' }, { phase: 'refresh', startedAt: '2026-01-02T03:05:00Z' }],
  audit: [], problem: null,
};
const gated: MigrationStatus = { ...base, state: 'waiting-approval', gate: { gate: 'after-canary', digest: 'abc', shows: ['ip-10-0-0-4 refreshed in 80 s'], since: '2026-01-02T03:09:00Z' } };
const plain = (text: string): string => text.replaceAll(/\x1b\[[0-9;]*m/g, '');  

describe('the picture on a terminal', () => {
  it('shows steps, nodes in flight, and what blocks', () => {
    const text = plain(frame(base, NOW));
    expect(text).toContain('prod  RUNNING  1/3 nodes   1 on Cilium, 2 on aws-node, 0 booting  10 min 00 s');
    expect(text).toContain('✔ label 5 s  3 nodes labelled');
    expect(text).toContain('▸ refresh 5 min 00 s');
    expect(text).toContain('· enforce');
    expect(text).toMatch(/ip-10-0-0-4.*i-1.*drain.*30 s.*PDB shop\/cart needs 2 healthy/);
  });

  it('shows what a gate decides and the exact command to approve it', () => {
    const text = plain(frame(gated, NOW));
    expect(text).toContain('GATE after-canary');
    expect(text).toContain('ip-10-0-0-4 refreshed in 80 s');
    expect(text).toContain('$ ciliate approve prod after-canary --reason TEXT');
  });
});

describe('plain lines', () => {
  it('tell everything at first, then only what changed', () => {
    expect(changes(undefined, base, NOW)).toEqual([
      '03:10:00Z label: ended: 3 nodes labelled',
      '03:10:00Z refresh: started',
      '03:10:00Z node ip-10-0-0-4 (i-1): drain',
      '03:10:00Z prod: RUNNING',
      '03:10:00Z blocked by Pod shop/cart: PDB shop/cart needs 2 healthy, has 2',
    ]);
    expect(changes(base, base, NOW)).toEqual([]);
  });

  it('tell a gate once, with the command', () => {
    const lines = changes(base, gated, NOW);
    expect(lines).toContain('03:10:00Z gate after-canary (digest abc):');
    expect(lines).toContain('03:10:00Z   $ ciliate approve prod after-canary --reason TEXT');
    expect(changes(gated, gated, NOW)).toEqual([]);
  });

  it('tell a node that is done, and the end', () => {
    const done: MigrationStatus = { ...base, state: 'done', inFlight: [], blocked: [], nodes: { ...base.nodes, done: 3 } };
    expect(changes(base, done, NOW)).toEqual(['03:10:00Z 3 of 3 nodes refreshed', '03:10:00Z prod: DONE']);
  });
});

describe('time', () => {
  it.each([[5, '5 s'], [65, '1 min 05 s'], [3_725, '1 h 02 min'], [-3, '0 s']])('%d s', (seconds, text) => {
    expect(since(new Date(NOW.getTime() - seconds * 1000).toISOString(), NOW)).toBe(text);
  });
});
