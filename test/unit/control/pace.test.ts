import { expect, it } from 'vitest';
import { paceOf } from '../../../workflows/until.js';

/** Events that a look and what it tells cost a node's history, at most. */
const EVENTS = 12;
/** Where Temporal ends a workflow. */
const LIMIT = 51_200;

it('what changes all the time is asked for ever less often: days of it fit a history', () => {
  expect([1, 19, 20, 199, 200, 999, 1_000, 1e6].map(paceOf)).toEqual([0, 0, 5, 5, 60, 60, 600, 600]);
  let seconds = 0;
  for (let changes = 1; changes * EVENTS < LIMIT; changes++) seconds += paceOf(changes);
  expect(seconds / 86_400).toBeGreaterThan(14);
});
