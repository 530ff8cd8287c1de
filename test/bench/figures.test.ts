import { expect, it } from 'vitest';
import { Field } from '../support/field.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean } from '../support/killing.js';
import { Timeline, uncovered } from './timeline.js';
import { writeResults } from '../support/results.js';
import { peakRss } from '../support/rss.js';

/**
 * The figures of the main job: what a node costs beyond what its hardware and pods take, and the memory of a worker.
 * Measured by the report's own times and by /proc; ratios within one run.
 */
const up = fieldsPerTest();

/** Delays of a lab (ms): far quicker than any EC2 instance, and those of the comparison with other node rollers. */
const LABS = [
  { lab: 'brisk', bootDelay: 5_000, agentDelay: 2_000, podStartDelay: 500, terminationDelay: 2_000, instanceTerminationDelay: 3_000 },
  { lab: 'as in bench-peers', bootDelay: 10_000, agentDelay: 3_000, podStartDelay: 500, terminationDelay: 3_000, instanceTerminationDelay: 3_000 },
];

it('serial: overhead of a node over the sum of boot, agent start and pod termination', async () => {
  const rows: Record<string, string | number>[] = [];
  const figures: string[] = [];
  for (const { lab, ...delays } of LABS) {
    const measured = await serial(delays, lab);
    rows.push(...measured.rows);
    figures.push(measured.figure);
  }
  writeResults('bench-serial', {
    title: 'Serial: what a node costs beyond its hardware',
    about: [
      'Aim: at most 10 % or 1 s a node over the sum of boot, agent start and pod termination.',
      "Seen by a watch of the test's own: bound is the time of a node (up to the next one's start) in which a pod was terminating, an instance was booting or an agent was starting; overhead is the rest. Pods terminate in tiers, so their time counts once a tier.",
      ...figures,
    ],
    rows,
  });
  expect(rows).toHaveLength(12);
});

type Delays = Omit<(typeof LABS)[number], 'lab'>;
interface Measured {
  rows: Record<string, string | number>[];
  figure: string;
}

async function serial(delays: Delays, lab: string): Promise<Measured> {
  const field = await Field.up({ nodes: 6, ...delays });
  try {
    return await measure(field, delays, lab);
  } finally {
    await field.down();
  }
}

async function measure(field: Field, delays: Delays, lab: string): Promise<Measured> {
  field.startWorker();
  const timeline = await Timeline.of(field);
  const report = await field.migrate(field.spec('serial'), 'serial');
  timeline.stop();
  const rss = peakRss(field.workerPid);
  await expectClean(field);
  const busy = timeline.busy(delays.bootDelay);
  const rows = report.nodes.map((node, index) => {
    const from = Date.parse(node.startedAt);
    // Up to the next node's start: what lies between two nodes counts too.
    const to = Date.parse(report.nodes[index + 1]?.startedAt ?? node.endedAt);
    const overhead = uncovered(from, to, busy) / 1000;
    const bound = (to - from) / 1000 - overhead;
    return { lab, node: node.node.name, seconds: round((to - from) / 1000), bound: round(bound), overhead: round(overhead), percent: Math.round((100 * overhead) / bound), ...node.seconds };
  });
  const mean = rows.reduce((sum, row) => sum + row.overhead, 0) / rows.length;
  const bound = rows.reduce((sum, row) => sum + row.bound, 0) / rows.length;
  const figure = `${lab} (boot ${delays.bootDelay / 1000} s, agent ${delays.agentDelay / 1000} s, pod termination ${delays.terminationDelay / 1000} s): ${round(mean)} s a node, ${Math.round((100 * mean) / bound)} % of ${round(bound)} s; worker peak RSS ${rss} MiB.`;
  console.log(`serial, ${figure}`);
  return { rows, figure };
}

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
