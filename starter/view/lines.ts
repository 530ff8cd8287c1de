import { forceCommand, forceLines } from '../../domain/force.js';
import { nextCommands, stateText } from '../../domain/report/index.js';
import type { MigrationStatus } from '../../domain/status.js';
import { clock } from './time.js';

/** What changed between two statuses, one plain line a change: for logs and pipes, where a picture cannot be redrawn. Pure. */
export function changes(before: MigrationStatus | undefined, after: MigrationStatus, now: Date): string[] {
  const at = clock(now.toISOString());
  return [...stepChanges(before, after), ...nodeChanges(before, after), ...stateChanges(before, after)].map((line) => `${at} ${line}`);
}

function stepChanges(before: MigrationStatus | undefined, after: MigrationStatus): string[] {
  const ended = (status: MigrationStatus | undefined): Set<string> => new Set(status?.phases.filter((entry) => entry.endedAt !== undefined).map((entry) => entry.phase + entry.startedAt));
  const known = ended(before);
  const done = after.phases
    .filter((entry) => entry.endedAt !== undefined && !known.has(entry.phase + entry.startedAt))
    .map((entry) => `${entry.phase}: ended${entry.note === undefined ? '' : `: ${entry.note}`}`);
  const begun = before?.phase !== after.phase && after.phases.at(-1)?.endedAt === undefined ? [`${after.phase}: started`] : [];
  return [...done, ...begun];
}

function nodeChanges(before: MigrationStatus | undefined, after: MigrationStatus): string[] {
  const steps = new Map((before?.inFlight ?? []).map((progress) => [progress.node.instanceId, progress.step]));
  const moved = after.inFlight
    .filter(({ node, step }) => steps.get(node.instanceId) !== step)
    .map(({ node, step }) => `node ${node.name} (${node.instanceId}): ${step}`);
  const counted = before !== undefined && before.nodes.done !== after.nodes.done ? [`${after.nodes.done} of ${after.nodes.total} nodes refreshed`] : [];
  return [...moved, ...counted];
}

function stateChanges(before: MigrationStatus | undefined, after: MigrationStatus): string[] {
  const lines: string[] = [];
  if (before?.state !== after.state) lines.push(`${after.migration}: ${stateText(after)}${after.problem === null ? '' : `: ${after.problem}`}`);
  const known = new Set(before?.blocked);
  lines.push(...after.blocked.filter((line) => !known.has(line)).map((line) => `blocked by ${line}`));
  if (after.gate !== null && after.gate.digest !== before?.gate?.digest) {
    lines.push(`gate ${after.gate.gate} (digest ${after.gate.digest}):`, ...after.gate.shows.map((line) => `  ${line}`), ...nextCommands(after).map((line) => `  $ ${line}`));
  }
  const forces = new Set((before?.forces ?? []).map((force) => force.digest));
  for (const force of after.forces.filter(({ digest }) => !forces.has(digest))) {
    lines.push(`gate force of ${force.node.name} (digest ${force.digest}):`, ...forceLines(force).map((line) => `  ${line}`), `  $ ${forceCommand(after.migration, force)}`);
  }
  return lines;
}
