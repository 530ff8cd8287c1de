import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean } from '../support/killing.js';
import { writeResults } from '../support/results.js';

/**
 * The figures of the main job: what a node costs beyond what its hardware and pods take, and the memory of a worker.
 * Measured by the report's own times and by /proc; ratios within one run.
 */
const up = fieldsPerTest();

/** Peak resident set of a process, MiB. */
function peakRss(pid: number): number {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

const DELAYS = { bootDelay: 5_000, agentDelay: 2_000, podStartDelay: 500, terminationDelay: 2_000, instanceTerminationDelay: 3_000 };

it('serial: overhead of a node over the sum of boot, agent start and pod termination', async () => {
  const field = await up({ nodes: 6, ...DELAYS });
  field.startWorker();
  const report = await field.migrate(field.spec('serial'), 'serial');
  await expectClean(field);
  // The instance must be gone before its group replaces it in the lab, as in AWS; drained pods start again meanwhile.
  const bound = (DELAYS.bootDelay + DELAYS.agentDelay + DELAYS.terminationDelay + DELAYS.instanceTerminationDelay) / 1000;
  const rows = report.nodes.map((node) => {
    const took = (Date.parse(node.endedAt) - Date.parse(node.startedAt)) / 1000;
    return { node: node.node.name, seconds: round(took), bound, overhead: round(took - bound), percent: Math.round((100 * (took - bound)) / bound), ...node.seconds };
  });
  const mean = rows.reduce((sum, row) => sum + row.overhead, 0) / rows.length;
  console.log(`serial: mean overhead ${round(mean)} s a node, ${Math.round((100 * mean) / bound)} % of ${bound} s; worker peak RSS ${peakRss(field.workerPid)} MiB`);
  writeResults('bench-serial', {
    title: 'Serial: what a node costs beyond its hardware',
    about: [
      `Aim: at most 10 % or 1 s a node over the sum of boot (${DELAYS.bootDelay / 1000} s), agent start (${DELAYS.agentDelay / 1000} s), pod termination (${DELAYS.terminationDelay / 1000} s) and the instance's own termination (${DELAYS.instanceTerminationDelay / 1000} s).`,
      `Mean: ${round(mean)} s a node, ${Math.round((100 * mean) / bound)} % of ${bound} s. Worker peak RSS: ${peakRss(field.workerPid)} MiB.`,
    ],
    rows,
  });
  expect(rows).toHaveLength(6);
});

it('memory of a worker that migrates 100 nodes', async () => {
  const field = await up({ nodes: 100, workload: 300, readyTimeout: 600_000, podStartDelay: 50, terminationDelay: 50, bootDelay: 50, agentDelay: 50, instanceTerminationDelay: 50 });
  field.startWorker();
  const started = Date.now();
  const report = await field.migrate(field.spec('hundred'), 'hundred');
  const rss = peakRss(field.workerPid);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`100 nodes: ${seconds} s, worker peak RSS ${rss} MiB`);
  writeResults('bench-memory', {
    title: 'Memory of a worker that migrates 100 nodes',
    about: ['Aim: at most 300 MiB resident (peak, VmHWM).'],
    rows: [{ nodes: report.nodes.length, outcome: report.state, seconds, 'peak RSS MiB': rss }],
  });
  expect(report.state).toBe('done');
  await expectClean(field);
});

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
