import type { ClusterLine, FleetStatus } from '../fleet/status.js';
import type { RunState } from '../status.js';
import { stateText } from './status.js';
import { between, columns, instant, page, section, wrap } from './text.js';

/** Clusters that a person is shown one by one; `-o json` has all of them. */
const SHOWN = 60;

/** A fleet's status for a person: the state, what needs a person, what to type; then rings and clusters. */
export function renderFleet(status: FleetStatus, now: string): string {
  const lines = status.clusters.slice(0, SHOWN);
  const hidden = status.clusters.length - lines.length + status.omitted;
  return page([
    ...head(status, now),
    ...section('NEXT', fleetCommands(status).map((line) => `  ${line}`)),
    ...section('RINGS', columns(['RING', 'CLUSTERS', 'WAITING', 'IN FLIGHT', 'BLOCKED', 'DONE', 'FAILED'], status.rings.map(ringRow))),
    ...section('CLUSTERS', columns(['CLUSTER', 'RING', 'STATE', 'STEP', 'NODES', 'NOTE'], lines.map(clusterRow))),
    ...(hidden > 0 ? [`  and ${hidden} more: ciliate fleet status ${status.fleet} -o json`] : []),
    ...section('NOTES', status.notes.flatMap((note) => wrap(note, '  '))),
    '',
    `workflow ${status.workflowId}, run ${status.runId}`,
  ]);
}

/** One line a change, for logs and pipes. */
export function fleetChanges(before: FleetStatus | undefined, after: FleetStatus): string[] {
  const known = new Map((before?.clusters ?? []).map((line) => [line.name, said(line)]));
  const clusters = after.clusters.filter((line) => line.state !== 'waiting' && known.get(line.name) !== said(line)).map((line) => `${line.name}: ${said(line)}`);
  const state = before?.state === after.state && before.paused?.reason === after.paused?.reason ? [] : [stateLine(after)];
  const gate = after.gate !== null && after.gate.digest !== before?.gate?.digest ? [`gate after ring ${after.gate.ring}:`, ...after.gate.shows.map((line) => `  ${line}`), `  $ ${approval(after.fleet, after.gate.ring)}`] : [];
  const window = after.window !== null && after.window.open !== before?.window?.open ? [`maintenance window ${after.window.open ? 'open' : 'closed'} until ${instant(after.window.until ?? '')}`] : [];
  return [...window, ...clusters, ...state, ...gate];
}

function said({ state, blocked, waits }: ClusterLine): string {
  return [state, blocked ?? waits].filter((part) => part !== null).join(': ');
}

function stateLine(status: FleetStatus): string {
  const why = status.problem ?? (status.paused === null ? null : `by ${status.paused.by}: ${status.paused.reason}`);
  return `${status.fleet}: ${fleetStateText(status.state)}${why === null ? '' : `: ${why}`}`;
}

function fleetStateText(state: RunState): string {
  return state === 'partial' ? 'PARTIAL: some clusters are not done' : stateText({ state });
}

function head(status: FleetStatus, now: string): string[] {
  const { paused, gate, window, budget } = status;
  return [
    `${status.fleet}: ${fleetStateText(status.state)} (${between(status.startedAt, status.endedAt ?? now)})`,
    ...(status.problem === null ? [] : wrap(status.problem, '  ')),
    ...(paused === null ? [] : wrap(`paused by ${paused.by} since ${instant(paused.at)}: ${paused.reason}`, '  ')),
    ...(window === null ? [] : [`  maintenance window ${window.open ? 'open' : 'closed'} until ${window.until === null ? '?' : instant(window.until)}`]),
    ...(budget.failing.length === 0 ? [] : wrap(`failed or blocked (${budget.failing.length}, ${budget.allowed} may): ${budget.failing.join(', ')}`, '  ')),
    ...(gate === null ? [] : ['', `GATE after ring ${gate.ring}, open since ${instant(gate.since)}, digest ${gate.digest.slice(0, 12)}`, ...gate.shows.flatMap((line) => wrap(`- ${line}`, '  '))]),
  ];
}

/** What to type next, the likeliest first. */
export function fleetCommands(status: FleetStatus): string[] {
  const { fleet, gate, state } = status;
  const own = status.clusters.filter(({ blocked }) => blocked !== null).slice(0, 3).map(({ name }) => `ciliate status ${name}`);
  switch (state) {
    case 'running':
    case 'aborting':
      return [...own, `ciliate fleet status ${fleet} --watch`];
    case 'paused':
      return [...own, `ciliate fleet resume ${fleet} --reason TEXT`, `ciliate fleet abort ${fleet} --reason TEXT`];
    case 'waiting-approval':
      return gate === null ? [] : [...own, approval(fleet, gate.ring)];
    case 'done':
      return [];
    case 'partial':
    case 'failed':
    case 'aborted':
      return ['ciliate report CLUSTER', 'ciliate fleet start -f FLEET   (goes on from where each cluster is)'];
    default:
      return state satisfies never;
  }
}

function approval(fleet: string, ring: string): string {
  return `ciliate fleet approve ${fleet} ${ring} --reason TEXT`;
}

function ringRow(ring: FleetStatus['rings'][number]): string[] {
  return [ring.name, ring.total, ring.waiting, ring.inFlight, ring.blocked, ring.done, ring.failed].map(String);
}

function clusterRow(line: ClusterLine): string[] {
  return [line.name, line.ring, line.state, line.phase ?? '', `${line.nodes.done}/${line.nodes.total}`, line.blocked ?? line.waits ?? ''];
}
