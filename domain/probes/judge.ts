import type { Blocker } from '../refresh.js';
import type { Lack } from './verdict.js';

/** What is lacking, as blockers: firm once it has lasted longer than it may. `since` is when the node's probes began (ISO 8601). */
export function blockersOf(lacks: readonly Lack[], { since, now }: { since: string; now: number }): Blocker[] {
  return lacks.map(({ object, reason, todo, limitSeconds }) => {
    const isFirm = now - Date.parse(since) >= limitSeconds * 1000;
    return { object, reason, todo, ...(isFirm ? { firm: true, since } : {}) };
  });
}
