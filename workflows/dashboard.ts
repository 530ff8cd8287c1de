import { FORCE, forceCommand, forceLines, podText } from '../domain/force.js';
import type { OpenForce } from '../domain/force.js';
import { blockerLine } from '../domain/refresh.js';
import type { Blocker, NodeProgress } from '../domain/refresh.js';
import type { MigrationStatus } from '../domain/status.js';

/** What Temporal's UI shows as a workflow's current details: the same facts as `ciliate status`, as Markdown. */
export function migrationDetails(status: MigrationStatus): string {
  const { counts, nodes } = status;
  return [
    `### ${status.migration}: ${status.state}`,
    status.problem ? `**${status.problem}**` : '',
    `Phase **${status.phase}** since ${status.since}. Nodes: ${nodes.done} of ${nodes.total} refreshed; ${counts.aws} on aws-node, ${counts.cilium} on Cilium, ${counts.pending} starting.`,
    status.paused ? `Paused by ${status.paused.by} since ${status.paused.at}: ${status.paused.reason}` : '',
    ...gateLines(status),
    ...status.forces.flatMap((force) => forceDetails(status.migration, force)),
    ...status.awaits.map(awaited),
    ...status.inFlight.flatMap((node) => ['', nodeDetails(node)]),
    ...(status.phases.length > 0 ? ['', '| step | from | to | note |', '|---|---|---|---|'] : []),
    ...status.phases.map((phase) => `| ${phase.phase} | ${clock(phase.startedAt)} | ${clock(phase.endedAt)} | ${phase.note ?? ''} |`),
  ]
    .filter((line, index, lines) => line !== '' || lines[index - 1] !== '')
    .join('\n');
}

/** One node: its step, and what it waits for. */
export function nodeDetails(progress: NodeProgress): string {
  const { node } = progress;
  return [
    `**${node.name}** (${node.instanceId}, ${node.group}, ${node.zone}): ${progress.step} since ${progress.since}${progress.paused ? ', paused' : ''}`,
    ...progress.blockers.map(awaited),
    ...(progress.force === undefined ? [] : [`- **gate force** is open: ${progress.force.pods.map(podText).join(', ')}`]),
  ].join('\n');
}

function awaited(blocker: Blocker): string {
  return `- ${blocker.firm ? '**blocked** by' : 'awaits'} ${blockerLine(blocker)}`;
}

/** The gate of one node: the rest of the run goes on. */
function forceDetails(migration: string, force: OpenForce): string[] {
  const approval = JSON.stringify({ gate: FORCE, node: force.node.name, pods: ['NAMESPACE/NAME'], digest: force.digest, by: 'YOU', reason: 'WHY' });
  return [
    '',
    `**Node ${force.node.name} waits for an approval of ${FORCE}** since ${force.since}: may these pods be deleted?`,
    ...forceLines(force).map((line) => `- ${line}`),
    '',
    `Approve: \`${forceCommand(migration, force)}\`, or Update (or Signal) \`approve\` with \`${approval}\``,
  ];
}

function gateLines(status: MigrationStatus): string[] {
  const { gate } = status;
  if (!gate) return [];
  const approval = JSON.stringify({ gate: gate.gate, digest: gate.digest, by: 'YOU', reason: 'WHY' });
  return [
    '',
    `**Waits for an approval of ${gate.gate}** since ${gate.since}. It decides on:`,
    ...gate.shows.map((line) => `- ${line}`),
    '',
    `Approve: \`ciliate approve ${status.migration} ${gate.gate} --reason TEXT\`, or Update (or Signal) \`approve\` with \`${approval}\``,
  ];
}

/** `01:03:47Z`: the day stands above, and a table in a narrow pane needs the room. */
function clock(at: string | undefined): string {
  return at ? `${at.slice(11, 19)}Z` : '';
}
