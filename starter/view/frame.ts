import Table from 'cli-table3';
import pc from 'picocolors';
import { forceLines } from '../../domain/force.js';
import { nextCommands, stateText } from '../../domain/report/index.js';
import { phasesOf } from '../../domain/status.js';
import type { MigrationStatus, Phase, RunState } from '../../domain/status.js';
import { clock, since } from './time.js';

/** One picture of a migration for a terminal: steps, nodes in flight, what blocks, and what to type. Pure. */
export function frame(status: MigrationStatus, now: Date): string {
  return [head(status, now), '', steps(status, now), nodes(status, now), ...blocked(status), ...gate(status), ...forces(status), ...next(status)].join('\n');
}

function head(status: MigrationStatus, now: Date): string {
  const { counts, nodes: progress } = status;
  const where = `${progress.done}/${progress.total} nodes   ${counts.cilium} on Cilium, ${counts.aws} on aws-node, ${counts.pending} booting`;
  const lines = [`${pc.bold(status.migration)}  ${colour(status.state)(stateText(status))}  ${where}  ${pc.dim(since(status.startedAt, now))}`];
  if (status.problem !== null) lines.push(pc.red(status.problem));
  if (status.paused !== null) lines.push(pc.yellow(`paused by ${status.paused.by}: ${status.paused.reason}`));
  return lines.join('\n');
}

function colour(state: RunState): (text: string) => string {
  switch (state) {
    case 'running':
      return pc.cyan;
    case 'paused':
    case 'waiting-approval':
    case 'aborting':
    case 'partial':
      return pc.yellow;
    case 'done':
      return pc.green;
    case 'failed':
    case 'aborted':
      return pc.red;
  }
}

function steps(status: MigrationStatus, now: Date): string {
  return phasesOf(status).map((phase) => stepLine(status, phase, now)).join('\n');
}

function stepLine(status: MigrationStatus, phase: Phase, now: Date): string {
  const record = status.phases.findLast((entry) => entry.phase === phase);
  if (record === undefined) return pc.dim(`  · ${phase}`);
  const took = since(record.startedAt, record.endedAt === undefined ? now : new Date(record.endedAt));
  const note = record.note === undefined ? '' : `  ${pc.dim(record.note)}`;
  return record.endedAt === undefined ? `  ${pc.cyan('▸')} ${pc.bold(phase)} ${took}${note}` : `  ${pc.green('✔')} ${phase} ${pc.dim(took)}${note}`;
}

function nodes(status: MigrationStatus, now: Date): string {
  if (status.inFlight.length === 0) return '';
  const table = new Table({ head: ['node', 'instance', 'zone', 'step', 'for', 'waits for'], style: { head: [], border: ['dim'], compact: true } });
  for (const { node, step, since: from, blockers, paused } of status.inFlight) {
    const waits = blockers.slice(0, 3).map((blocker) => `${blocker.object}: ${blocker.reason}`);
    table.push([node.name, node.instanceId, node.zone, paused ? `${step} (paused)` : step, since(from, now), waits.join('\n')]);
  }
  return `\n${table.toString()}`;
}

function blocked({ blocked: lines }: MigrationStatus): string[] {
  return lines.length === 0 ? [] : ['', pc.yellow('BLOCKED BY'), ...lines.slice(0, 8).map((line) => `  ${line}`)];
}

function gate({ gate: open }: MigrationStatus): string[] {
  if (open === null) return [];
  return ['', pc.yellow(`GATE ${open.gate}`), ...open.shows.map((line) => `  ${line}`), pc.dim(`  since ${clock(open.since)}, digest ${open.digest}`)];
}

function forces({ forces: open }: MigrationStatus): string[] {
  return open.flatMap((force) => ['', pc.yellow(`GATE force of ${force.node.name}`), ...forceLines(force).map((line) => `  ${line}`), pc.dim(`  since ${clock(force.since)}, digest ${force.digest}`)]);
}

function next(status: MigrationStatus): string[] {
  const commands = nextCommands(status).filter((command) => !command.endsWith('--watch'));
  return commands.length === 0 ? [] : ['', ...commands.map((command) => `  ${pc.bold('$')} ${command}`)];
}
