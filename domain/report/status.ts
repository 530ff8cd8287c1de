import { forceCommand, forceLines } from '../force.js';
import type { OpenForce } from '../force.js';
import type { MigrationStatus, RunState } from '../status.js';
import type { Blocker, NodeProgress } from '../refresh.js';
import { between, columns, count, instant, jsonPage, page, section, wrap } from './text.js';

export type StatusFormat = 'table' | 'json';

/**
 * The status, for a person or a program: first the state, then what blocks, then what to type. `now` (ISO 8601) is for "since";
 * `json` is the answer of the `status` query as it is (domain/status.ts, {@link MigrationStatus}): keys are only ever added.
 */
export function renderStatus(status: MigrationStatus, now: string, format: StatusFormat = 'table'): string {
  return format === 'json' ? jsonPage(status) : page(text(status, now));
}

/** How a state is said to people. */
export function stateText({ state, toward }: Pick<MigrationStatus, 'state' | 'toward'>): string {
  if (toward !== 'aws-node') return STATE_TEXT[state];
  return state === 'partial' ? 'PARTIAL: some nodes are still on Cilium' : state === 'done' ? 'DONE: rolled back' : `ROLLBACK ${STATE_TEXT[state]}`;
}

const STATE_TEXT: Record<RunState, string> = {
  running: 'RUNNING',
  paused: 'PAUSED',
  'waiting-approval': 'WAITS FOR AN APPROVAL',
  aborting: 'ABORTING',
  done: 'DONE',
  partial: 'PARTIAL: some nodes are still on aws-node',
  failed: 'FAILED',
  aborted: 'ABORTED',
};

/** What to type next, the likeliest first. */
export function nextCommands(status: MigrationStatus): string[] {
  const name = status.migration;
  const again = status.toward === 'aws-node' ? 'rollback' : 'start';
  const forces = status.forces.map((force) => forceCommand(name, force));
  switch (status.state) {
    case 'waiting-approval':
      return status.gate === null
        ? [`ciliate status ${name}`]
        : [`ciliate approve ${name} ${status.gate.gate} --reason TEXT`, ...forces, `ciliate abort ${name} --reason TEXT`];
    case 'paused':
      return [...forces, `ciliate resume ${name} --reason TEXT`, `ciliate abort ${name} --reason TEXT`];
    case 'running':
      if (forces.length > 0) return [...forces, ...status.forces.slice(0, 1).map((force) => `ciliate skip ${name} ${force.node.name} --reason TEXT`)];
      return status.blocked.length > 0 && status.inFlight[0] !== undefined
        ? [`ciliate skip ${name} ${status.inFlight[0].node.name} --reason TEXT`, `ciliate pause ${name} --reason TEXT`]
        : [`ciliate status ${name} --watch`];
    case 'aborting':
      return [`ciliate status ${name} --watch`];
    case 'done':
      return [`ciliate report ${name}`];
    case 'partial':
      return [`ciliate report ${name}`, `ciliate ${again} -f SPEC   (goes on with the nodes that are left)`];
    case 'failed':
    case 'aborted':
      return [again === 'start' ? 'ciliate plan -f SPEC' : 'ciliate rollback -f SPEC --plan', `ciliate ${again} -f SPEC   (goes on from where the cluster is)`, `ciliate report ${name}`];
  }
}

function text(status: MigrationStatus, now: string): string[] {
  return [
    `${status.migration}: ${stateText(status)}, step ${status.phase} since ${instant(status.since)} (${between(status.since, now)})`,
    ...(status.problem === null ? [] : wrap(status.problem, '  ')),
    ...(status.paused === null ? [] : [`  paused by ${status.paused.by}: ${status.paused.reason}`]),
    ...section('BLOCKED BY', status.blocked.flatMap((line) => wrap(line, '  '))),
    ...gateText(status, now),
    ...status.forces.flatMap((force) => forceText(force, now)),
    ...section('NEXT', nextCommands(status).map((line) => `  ${line}`)),
    ...section('WAITS FOR', status.awaits.flatMap(blockerText)),
    ...section('NODES', nodesText(status)),
    ...section('IN FLIGHT', status.inFlight.flatMap((progress) => progressText(progress, now))),
    ...section('STEPS', columns(['STEP', 'STARTED', 'TOOK', 'NOTE'], phaseRows(status, now))),
    ...section('FINDINGS', status.findings.filter((finding) => finding.severity !== 'info').flatMap((finding) => wrap(`${finding.severity} ${finding.id}: ${finding.message}`, '  '))),
    '',
    `workflow ${status.workflowId}, run ${status.runId}`,
  ];
}

function gateText({ gate }: MigrationStatus, now: string): string[] {
  if (gate === null) return [];
  return [
    '',
    `GATE ${gate.gate}, open since ${instant(gate.since)} (${between(gate.since, now)}), digest ${gate.digest.slice(0, 12)}`,
    ...gate.shows.flatMap((line) => wrap(`- ${line}`, '  ')),
  ];
}

function forceText(force: OpenForce, now: string): string[] {
  return [
    '',
    `GATE force of ${force.node.name}, open since ${instant(force.since)} (${between(force.since, now)}), digest ${force.digest.slice(0, 12)}: may these pods be deleted?`,
    ...forceLines(force).flatMap((line) => wrap(`- ${line}`, '  ')),
  ];
}

function nodesText({ nodes, counts }: MigrationStatus): string[] {
  return [
    `  ${nodes.done} of ${count(nodes.total, 'node')} refreshed; now ${counts.cilium} on Cilium, ${counts.aws} on aws-node, ${counts.pending} booting`,
    ...named('skipped', nodes.skipped, nodes.counts.skipped),
    ...named('postponed', nodes.postponed, nodes.counts.postponed),
    ...named('failed', nodes.failed, nodes.counts.failed),
  ];
}

function named(how: string, names: readonly string[], amount: number): string[] {
  if (names.length === 0) return [];
  return [`  ${how}: ${names.join(', ')}${amount > names.length ? ` and ${amount - names.length} more` : ''}`];
}

function progressText({ node, step, since, blockers, paused }: NodeProgress, now: string): string[] {
  return [
    `  ${node.name} (${node.instanceId}, ${node.zone}): ${step} for ${between(since, now)}${paused ? ', paused' : ''}`,
    ...blockers.flatMap(blockerText).map((line) => `  ${line}`),
  ];
}

function blockerText({ object, reason, todo, since }: Blocker): string[] {
  return [...wrap(`${object}: ${reason}${since === undefined ? '' : `, since ${instant(since)}`}`, '  '), ...wrap(todo === '' ? '' : `To do: ${todo}`, '    ')];
}

function phaseRows({ phases }: MigrationStatus, now: string): string[][] {
  return phases.map((phase) => [phase.phase, instant(phase.startedAt), between(phase.startedAt, phase.endedAt ?? now), phase.note ?? '']);
}
