import type { PoolNode, PoolView } from './view.js';

/** Nodes of a zone or of a group. */
export interface Tally {
  name: string;
  /** Still to be started. */
  left: number;
  flying: number;
}

export interface GroupTally extends Tally {
  /** Nodes that are still to go with decrement. */
  surplus: number;
  /** Candidates that go before those with cilium-operator, by rank. */
  ordinary: Map<number, number>;
  /** Candidates by zone. */
  leftByZone: Map<string, number>;
}

export interface Budget {
  name: string;
  allowed: number;
  /** Names of the nodes whose drains use it. */
  users: string[];
  /** Candidates with pods of it. */
  holders: Entry[];
}

/** A candidate, with what changes about it whenever another one starts. */
export interface Entry {
  node: PoolNode;
  zone: Tally;
  group: GroupTally;
  budgets: Budget[];
  /** Its budgets that have nothing left. */
  lacking: number;
  /** Its budgets that are in use. */
  colliding: number;
}

/** What `admit` counts while it starts nodes. A budget is in use once and used up once, so all starts together cost one pass. */
export interface State {
  view: PoolView;
  left: Set<Entry>;
  groups: Map<string, GroupTally>;
  inFlight: number;
  draining: boolean;
  /** Usable nodes when all in flight are gone. */
  usable: number;
  /** A node with cilium-operator is draining. */
  operatorMoves: boolean;
  /** Groups that need their extra nodes still: more old nodes left than have to go with decrement. */
  open: number;
}

export function sizeUp(view: PoolView): State {
  const zones = new Map<string, Tally>();
  const groups = new Map<string, GroupTally>();
  const budgets = new Map<string, Budget>();
  const zone = (name: string): Tally => found(zones, name, () => ({ name, left: 0, flying: 0 }));
  const group = (name: string): GroupTally => found(groups, name, () => ({ name, left: 0, flying: 0, surplus: view.surplus?.[name] ?? 0, ordinary: new Map(), leftByZone: new Map() }));
  const budgetsOf = (node: PoolNode): Budget[] =>
    Object.entries(node.budgets)
      .filter(([, pods]) => pods > 0)
      .map(([name]) => found(budgets, name, () => ({ name, allowed: view.budgets[name] ?? 0, users: [], holders: [] })));
  for (const node of view.inFlight) {
    zone(node.ref.zone).flying += 1;
    group(node.ref.group).flying += 1;
    if (node.draining) for (const budget of budgetsOf(node)) budget.users.push(node.ref.name);
  }
  const left = new Set<Entry>();
  for (const node of view.candidates) {
    const entry: Entry = { node, zone: zone(node.ref.zone), group: group(node.ref.group), budgets: budgetsOf(node), lacking: 0, colliding: 0 };
    entry.zone.left += 1;
    entry.group.left += 1;
    for (const budget of entry.budgets) budget.holders.push(entry);
    entry.lacking = entry.budgets.filter(isUsedUp).length;
    entry.colliding = entry.budgets.filter(({ users }) => users.length > 0).length;
    count(entry, 1);
    left.add(entry);
  }
  return {
    view,
    left,
    groups,
    inFlight: view.inFlight.length,
    draining: view.inFlight.some(({ draining }) => draining),
    usable: view.nodes.usable - view.inFlight.filter(({ usable }) => usable).length,
    operatorMoves: view.inFlight.some(({ draining, hostsOperator }) => draining && hostsOperator),
    open: [...groups.values()].filter(isOpen).length,
  };
}

/** Counts a node as started; true: it is to be terminated with decrement. */
export function start(state: State, entry: Entry): boolean {
  const { node, zone, group } = entry;
  state.left.delete(entry);
  state.inFlight += 1;
  state.draining = true;
  if (node.usable) state.usable -= 1;
  if (node.hostsOperator) state.operatorMoves = true;
  count(entry, -1);
  zone.left -= 1;
  zone.flying += 1;
  const decrement = !isOpen(group) && group.surplus > 0;
  const wasOpen = isOpen(group);
  group.left -= 1;
  group.flying += 1;
  if (decrement) group.surplus -= 1;
  if (wasOpen && !isOpen(group)) state.open -= 1;
  for (const budget of entry.budgets) use(budget, node.ref.name);
  return decrement;
}

export function isOpen({ left, surplus }: GroupTally): boolean {
  return left > surplus;
}

function count({ node, group, zone }: Entry, by: number): void {
  group.leftByZone.set(zone.name, (group.leftByZone.get(zone.name) ?? 0) + by);
  if (!node.hostsOperator && (node.keptForLast ?? 0) === 0) group.ordinary.set(node.rank, (group.ordinary.get(node.rank) ?? 0) + by);
}

function use(budget: Budget, name: string): void {
  const wasUsedUp = isUsedUp(budget);
  budget.users.push(name);
  const first = budget.users.length === 1;
  const last = !wasUsedUp && isUsedUp(budget);
  if (!first && !last) return;
  for (const holder of budget.holders) {
    if (first) holder.colliding += 1;
    if (last) holder.lacking += 1;
  }
}

function isUsedUp({ allowed, users }: Budget): boolean {
  return users.length >= allowed;
}

function found<T>(all: Map<string, T>, name: string, make: () => T): T {
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = make();
  all.set(name, made);
  return made;
}
