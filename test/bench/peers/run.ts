import type { Field } from '../../support/field.js';
import { untilLetGo } from '../../support/killing.js';
import { Timeline, uncovered } from '../timeline.js';
import type { Attempt, Contender } from './contender.js';
import { baggageOf, leftovers } from './leftovers.js';
import { Observer } from './observer.js';
import { BOOT } from './shape.js';
import type { Figures } from './tally.js';

/** One contender on one fresh cluster. */
export interface Run {
  contender: string;
  nodes: number;
  killed: boolean;
  outcome: string;
  /** When it began, ISO 8601. */
  at: string;
  /** Of the command as a whole, s; ours goes on to enforcement and the removal of aws-node. */
  command: number;
  figures: Figures;
  /** Until all nodes were others: seconds in which a pod was terminating, an instance booting or an agent starting. */
  busy: number | undefined;
  leftovers: string[];
  calls: { kubernetes: number; aws: number };
}

/** How long the cluster may take to be as before once a contender says that it is done, ms. */
const SETTLE = 45_000;
/** The instance whose termination is never asked for, because its contender dies just before. */
const KILLED_AT = 4;

export interface Rehearsal {
  nodes: number;
  /** Kill it between a Node's end and its instance's, and let it start again. */
  kill: boolean;
  /** When a second start is given up, ms. */
  patience: number;
}

export async function runOn(field: Field, contender: Contender, { nodes, kill, patience }: Rehearsal): Promise<Run> {
  const { faults } = field.lab;
  const before = await baggageOf(field.lab);
  await faults.resetCounts();
  const [observer, timeline] = await Promise.all([Observer.of(field.lab), Timeline.of(field)]);
  const started = Date.now();
  const outcome = kill ? await killedAndAgain(field, contender, patience) : await (await contender.start(field)).ended;
  const command = (Date.now() - started) / 1000;
  await observer.settled(SETTLE);
  const counts = Object.entries(await faults.counts());
  const sum = (target: string): number => counts.filter(([key]) => key.startsWith(`${target} `)).reduce((total, [, count]) => total + count, 0);
  const calls = { kubernetes: sum('kubernetes'), aws: sum('aws') };
  const figures = await observer.stop();
  timeline.stop();
  const busy = busyWithin(figures, timeline);
  return { contender: contender.name, nodes, killed: kill, outcome, at: new Date(started).toISOString(), command, figures, busy, leftovers: leftovers(before, await baggageOf(field.lab)), calls };
}

function busyWithin({ firstChange, rolled }: Figures, timeline: Timeline): number | undefined {
  if (firstChange === undefined || rolled === undefined) return undefined;
  return (rolled - firstChange - uncovered(firstChange, rolled, timeline.busy(BOOT))) / 1000;
}

async function killedAndAgain(field: Field, contender: Contender, patience: number): Promise<string> {
  const { faults } = field.lab;
  const rule = await faults.add({ target: 'aws', action: 'TerminateInstanceInAutoScalingGroup', hold: true, nth: KILLED_AT, count: 1 });
  const first = await contender.start(field);
  const held = faults.waitFor(rule, { count: KILLED_AT, acted: true, timeout: 600_000 }).then(() => undefined);
  const early = await Promise.race([held, first.ended]);
  if (early !== undefined) return `never came to be killed: ${early}`;
  await first.kill();
  // Removed while the dead client's connection still looks open, the rule would let the request through to AWS.
  await untilLetGo(field.lab, rule);
  await faults.remove(rule);
  return within(await contender.again(field), patience);
}

async function within(attempt: Attempt, patience: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, patience, undefined)));
  const outcome = await Promise.race([attempt.ended, late]);
  clearTimeout(timer);
  if (outcome !== undefined) return outcome;
  await attempt.kill();
  return `not ended after ${patience / 1000} s`;
}
