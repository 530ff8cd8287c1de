import { isOpen } from './state.js';
import type { Entry, GroupTally, State } from './state.js';

/** Why a node may not start now. `budget` comes last: it alone may be passed over, for one node alone. */
export type Obstacle = 'not-this-group' | 'extra-nodes' | 'usable' | 'zone' | 'group' | 'kept' | 'operator-last' | 'operator-moves' | 'budget';

export function obstacle(state: State, entry: Entry): Obstacle | null {
  const { limits } = state.view;
  const { node, zone, group } = entry;
  const closed = closedBy(state, group);
  if (closed !== null) return closed;
  if (node.usable && state.usable - 1 < least(state, group)) return 'usable';
  if (limits.perZone !== undefined && zone.flying >= limits.perZone) return 'zone';
  if (limits.perGroup !== undefined && group.flying >= limits.perGroup) return 'group';
  if (isOpen(group) && (group.leftByZone.get(zone.name) ?? 0) <= (state.view.keptByZone?.[group.name]?.[zone.name] ?? 0)) return 'kept';
  if (node.hostsOperator && !operatorHasPlaces(state) && goesBefore(state, node.rank)) return 'operator-last';
  if (node.hostsOperator && state.operatorMoves) return 'operator-moves';
  return entry.lacking > 0 ? 'budget' : null;
}

/** Replicas of cilium-operator, which exclude each other by host. */
const OPERATORS = 2;

/** Whether its replicas find new nodes wherever they go: then it moves once, early or late, and has no need to wait for the others. */
export function operatorHasPlaces({ view }: State): boolean {
  return (view.fresh ?? 0) >= OPERATORS;
}

/** Usable nodes that must stay when a node of this group starts. */
function least({ view: { limits, nodes, onDemand } }: State, { name }: GroupTally): number {
  return nodes.wanted - limits.maxUnavailable - (onDemand?.groups.includes(name) === true ? onDemand.missing : 0);
}

function closedBy({ view, open }: State, group: GroupTally): Obstacle | null {
  if (view.onlyGroups !== undefined && !view.onlyGroups.includes(group.name)) return 'not-this-group';
  // Extra nodes stay until no group needs them any more (domain/pool/shrink.ts).
  return open > 0 && !isOpen(group) ? 'extra-nodes' : null;
}

/** Whether a node without cilium-operator is left that the operator did not put later; not one that itself waits for this group. */
function goesBefore(state: State, rank: number): boolean {
  const groups = [...state.groups.values()].filter((group) => closedBy(state, group) === null);
  return groups.some(({ ordinary }) => [...ordinary].some(([other, count]) => other <= rank && count > 0));
}

export function explain(state: State, entry: Entry): string {
  const { limits, nodes } = state.view;
  const { zone, group } = entry;
  const what = obstacle(state, entry);
  switch (what) {
    case null:
      return 'it starts after the node that was started alone';
    case 'not-this-group':
      return `the first node of ${(state.view.onlyGroups ?? []).join(', ')} comes before more of ${group.name}`;
    case 'usable':
      return (
        `${state.usable} usable nodes are left besides those in flight, at least ${least(state, group)} must stay ` +
        `(${nodes.wanted} nodes, maxUnavailable ${limits.maxUnavailable}): a new node has to be Ready first`
      );
    case 'zone':
      return `${zone.flying} nodes of zone ${zone.name} are in flight, at most ${limits.perZone} may be`;
    case 'group':
      return `${group.flying} nodes of group ${group.name} are in flight, at most ${limits.perGroup} may be`;
    case 'extra-nodes':
      return `the extra nodes of group ${group.name} stay until other groups need them no longer`;
    case 'kept':
      return `the nodes of ${group.name} that are left in zone ${zone.name} go last, so that its zones end balanced`;
    case 'operator-last':
      return 'a pod of cilium-operator runs there: the other nodes go first';
    case 'operator-moves':
      return 'a pod of cilium-operator runs there, and another node with one is being drained';
    case 'budget':
      return lackingText(entry);
  }
}

function lackingText({ budgets }: Entry): string {
  const lacking = budgets.filter(({ allowed, users }) => users.length >= allowed);
  const texts = lacking.slice(0, 3).map(({ name, allowed, users }) => {
    const many = allowed === 1 ? '1 disruption' : `${Math.max(0, allowed)} disruptions`;
    return `PodDisruptionBudget ${name} allows ${many} now${users.length > 0 ? `, in use by the drain of ${shortened(users)}` : ''}`;
  });
  return [...texts, ...(lacking.length > 3 ? [`${lacking.length - 3} more`] : [])].join('; ');
}

function shortened(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
