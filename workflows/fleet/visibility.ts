import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { SEARCH_ATTRIBUTES } from '../../domain/names.js';

/** On the fleet itself and on the migrations that it started. */
export const fleetAttribute = defineSearchAttributeKey('CiliateFleet', SEARCH_ATTRIBUTES.CiliateFleet);
const state = defineSearchAttributeKey('CiliateState', SEARCH_ATTRIBUTES.CiliateState);
const needsApproval = defineSearchAttributeKey('CiliateNeedsApproval', SEARCH_ATTRIBUTES.CiliateNeedsApproval);
const blocked = defineSearchAttributeKey('CiliateBlocked', SEARCH_ATTRIBUTES.CiliateBlocked);

export function fleetAttributes(status: FleetStatus): SearchAttributeUpdatePair[] {
  return [
    { key: fleetAttribute, value: status.fleet },
    { key: state, value: status.state },
    { key: needsApproval, value: status.gate !== null },
    { key: blocked, value: status.rings.some((ring) => ring.blocked > 0) || status.paused?.by === 'ciliate' },
  ];
}

/** The dashboard in Temporal's UI: rings, what waits for a person, and the clusters that are not simply waiting or done. */
export function fleetDetails(status: FleetStatus): string {
  const telling = status.clusters.filter(({ state: one }) => one !== 'waiting' && one !== 'done').slice(0, 40);
  return [
    `### ${status.fleet}: ${status.state}`,
    ...(status.problem === null ? [] : [`**${status.problem}**`]),
    ...(status.paused === null ? [] : [`Paused by ${status.paused.by} since ${status.paused.at}: ${status.paused.reason}`]),
    ...(status.window === null ? [] : [`Maintenance window ${status.window.open ? 'open' : 'closed'} until ${status.window.until ?? 'further notice'}`]),
    ...gateLines(status),
    '',
    '| ring | clusters | waiting | in flight | blocked | done | failed |',
    '|---|---|---|---|---|---|---|',
    ...status.rings.map((ring) => `| ${ring.name} | ${ring.total} | ${ring.waiting} | ${ring.inFlight} | ${ring.blocked} | ${ring.done} | ${ring.failed} |`),
    ...(telling.length === 0 ? [] : ['', ...telling.map((line) => `- **${line.name}**: ${line.state}${line.phase ? `, ${line.phase}` : ''}, ${line.nodes.done} of ${line.nodes.total} nodes. ${line.blocked ?? line.waits ?? ''}`.trimEnd())]),
  ].join('\n');
}

function gateLines({ fleet, gate }: FleetStatus): string[] {
  if (gate === null) return [];
  return ['', `**Waits for an approval of ring ${gate.ring}** since ${gate.since}:`, ...gate.shows.slice(0, 40).map((line) => `- ${line}`), '', `\`ciliate fleet approve ${fleet} ${gate.ring} --reason TEXT\``];
}
