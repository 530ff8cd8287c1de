import { expect } from 'vitest';
import { nodeWorkflowId } from '../../domain/names.js';
import type { NodeProgress, NodeStep } from '../../domain/refresh.js';
import type { MigrationReport } from '../../domain/status.js';
import type { FaultRule, Lab } from '../../lab/index.js';
import { clusterState } from './clusterState.js';
import type { ClusterState } from './clusterState.js';
import type { Field } from './field.js';
import type { KillPoint } from './killPoints.js';

/** Runs a migration (or a rollback) and kills its worker with SIGKILL at each point, in order; a new worker takes over every time. */
export async function migrateWithKills(field: Field, file: string, { name, points, verb = 'start' }: { name: string; points: KillPoint[]; verb?: 'start' | 'rollback' }): Promise<MigrationReport> {
  const rules: string[] = [];
  for (const point of points) rules.push(await field.lab.faults.add(point.rule));
  if (field.workerPid === 0) field.startWorker();
  const { code, err } = await field.ciliate(verb, '-f', file);
  expect(err).toBe('');
  expect(code).toBe(0);
  const open = new Map(points.map((point, index) => [rules[index] ?? '', point]));
  while (open.size > 0) {
    const [rule, point] = await nextHeld(field, open);
    await killHeld(field, field.lab, rule);
    open.delete(rule);
    console.log(`killed: ${point.name}`);
  }
  return field.report(name);
}

/** The same for a step of a node in which nothing is written: the worker is killed while a node is seen at it. */
export async function migrateKilledAt(field: Field, file: string, { name, step }: { name: string; step: NodeStep }): Promise<MigrationReport> {
  field.startWorker();
  const { code, err } = await field.ciliate('start', '-f', file);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  await expect.poll(async () => (await nodesInFlight(field, name)).some((node) => node.step === step), { timeout: 240_000, interval: 50 }).toBe(true);
  await field.killWorker();
  field.startWorker();
  return field.report(name);
}

/** As each node tells it: the migration hears of brief steps only where they are blocked. */
async function nodesInFlight(field: Field, name: string): Promise<NodeProgress[]> {
  const { inFlight } = await field.status(name);
  const { workflow } = await field.client();
  // One may end, or not have begun, between the two questions.
  const told = await Promise.allSettled(inFlight.map(({ node }) => workflow.getHandle(nodeWorkflowId(name, node.instanceId)).query<NodeProgress>('status')));
  return told.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/** The first rule that holds a request; the points are passed in the order of the migration, but two may be close. */
async function nextHeld(field: Field, open: Map<string, KillPoint>): Promise<[string, KillPoint]> {
  const end = Date.now() + 240_000;
  while (Date.now() < end) {
    const held = (await field.lab.faults.rules()).find((rule) => open.has(rule.id) && rule.parked > 0);
    const point = held && open.get(held.id);
    if (held && point) return [held.id, point];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const missed = [...open.values()].map((point) => point.name).join(', ');
  throw new Error(`the migration never came to: ${missed}. Its status: ${JSON.stringify(await field.status('x').catch(() => null))}`);
}

/** Runs a command whose worker is killed while a lab holds the request that the rule names, and lets the next worker end it. */
export async function killedWhile<T>(field: Field, { lab, rule }: { lab: Lab; rule: FaultRule }, command: () => Promise<T>): Promise<T> {
  const id = await lab.faults.add({ ...rule, hold: true, count: 1 });
  const running = command();
  await untilHeld(lab, id);
  await killHeld(field, lab, id);
  return running;
}

/** Until a lab holds requests that a rule names. */
export async function untilHeld(lab: Lab, rule: string): Promise<void> {
  await expect.poll(() => parked(lab, rule), { timeout: 240_000, interval: 50 }).toBeGreaterThan(0);
}

/** Until whoever sent them has let go of them. */
export async function untilLetGo(lab: Lab, rule: string): Promise<void> {
  await expect.poll(() => parked(lab, rule), { timeout: 60_000, interval: 20 }).toBe(0);
}

/** Kills the worker whose request a lab holds, and starts another. */
async function killHeld(field: Field, lab: Lab, rule: string): Promise<void> {
  await field.killWorker();
  // The front lets a request of the dead go nowhere once it has noticed; removing the rule before would let it pass.
  await untilLetGo(lab, rule);
  await lab.faults.remove(rule);
  field.startWorker();
}

async function parked(lab: Lab, rule: string): Promise<number | undefined> {
  return (await lab.faults.rules()).find(({ id }) => id === rule)?.parked;
}

/** Equal but for what must differ between two labs: names that hold random ids. */
export function expectSame(killed: ClusterState, undisturbed: ClusterState): void {
  expect(killed).toEqual({ ...undisturbed, helm: { ...undisturbed.helm, values: killed.helm.values } });
  expect(JSON.stringify(killed.helm.values).replaceAll(/k-[a-z0-9]+/g, 'NAME')).toBe(JSON.stringify(undisturbed.helm.values).replaceAll(/k-[a-z0-9]+/g, 'NAME'));
}

export async function expectClean(field: { lab: Lab }): Promise<ClusterState> {
  // The node controller takes its own taints off some seconds after a node is Ready.
  await expect.poll(async () => (await clusterState(field)).taints, { timeout: 60_000, interval: 500 }).toEqual([]);
  const state = await clusterState(field);
  expect(state).toMatchObject({ labelled: 0, cordoned: 0, leftovers: [], lease: null, guardsLedger: false, orphans: [], violations: [], killedPods: 0, agents: { awsNode: false } });
  expect(state.groups.every((group) => group.suspended.length === 0 && group.protected === 0 && group.inService === group.desired)).toBe(true);
  return state;
}
