import { afterAll, describe, expect, it } from 'vitest';
import { fieldsPerTest } from '../../support/fields.js';
import type { Contender } from './contender.js';
import { article } from './contenders/article.js';
import { serial, surge, surgeWithCanary } from './contenders/ciliate.js';
import { eksRollingUpdate } from './contenders/eksRollingUpdate.js';
import { publish } from './publish.js';
import { runOn } from './run.js';
import type { Run } from './run.js';
import { labShape, serialBound } from './shape.js';
import { row } from './table.js';

/**
 * The same move by everybody, each on a fresh cluster of the same shape, measured by an observer that asks none of them.
 * CILIATE_BENCH_SIZES=10,30 and CILIATE_BENCH_CONTENDERS=article,surge choose; a run writes what it ran.
 */
const SIZES = (process.env['CILIATE_BENCH_SIZES'] ?? '10,30').split(',').map(Number);
const CHOSEN = (process.env['CILIATE_BENCH_CONTENDERS'] ?? '').split(',');
const CONTENDERS = [article, eksRollingUpdate, serial, surge, surgeWithCanary].filter(({ name }) => CHOSEN.some((part) => name.includes(part)));
/** Dying in the middle is the same at any size. */
const KILLED_SIZE = 10;

const up = fieldsPerTest();
const runs: { run: Run; contender: Contender }[] = [];
const left: string[] = [];
afterAll(() => publish(runs, left));

async function compete(contender: Contender, { nodes, kill }: { nodes: number; kill: boolean }, skip: (why: string) => void): Promise<void> {
  const missing = await contender.missing();
  if (missing !== undefined) {
    const word = `${contender.name} is left out: ${missing}`;
    if (!left.includes(word)) left.push(word);
    return skip(word);
  }
  const field = await up(labShape(nodes));
  const run = await runOn(field, contender, { nodes, kill, patience: serialBound(nodes).slow * 1_500 });
  runs.push({ run, contender });
  // After each one: an hour's figures must not be lost to its last minute.
  publish(runs, left);
  console.log(JSON.stringify(row(run, contender.bound(nodes))));
  if (!contender.ours) return;
  expect(run.outcome).toBe('success');
  expect(run.figures.violations).toEqual([]);
  expect(run.leftovers).toEqual([]);
}

describe.each(SIZES)('%i nodes', (nodes) => {
  it.for(CONTENDERS)('$name', (contender, { skip }) => compete(contender, { nodes, kill: false }, skip));
});

describe.skipIf(!SIZES.includes(KILLED_SIZE))("killed between a Node's end and its instance's, and run again", () => {
  it.for(CONTENDERS)('$name', (contender, { skip }) => compete(contender, { nodes: KILLED_SIZE, kill: true }, skip));
});
