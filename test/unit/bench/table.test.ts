import { expect, it } from 'vitest';
import { withOlder } from '../../bench/peers/table.js';

const measured = (contender: string, nodes: number, elapsed: number) => ({ contender, nodes, elapsed });

it('keeps what was measured before of others, and takes what is new of the same', () => {
  const before = [measured('article', 30, 850), measured('serial', 30, 600), measured('serial', 10, 200)];
  expect(withOlder([measured('article', 10, 240), measured('serial', 30, 500)], before)).toEqual([
    measured('serial', 10, 200),
    measured('article', 10, 240),
    measured('article', 30, 850),
    measured('serial', 30, 500),
  ]);
  expect(withOlder([measured('article', 30, 1)], [])).toEqual([measured('article', 30, 1)]);
});
