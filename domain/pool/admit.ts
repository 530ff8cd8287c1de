import { explain, obstacle, operatorHasPlaces } from './obstacle.js';
import { sizeUp, start } from './state.js';
import type { Entry, State } from './state.js';
import { NO_ENDS } from './view.js';
import type { Admission, PoolView } from './view.js';

/** A hundred nodes that all begin in one moment keep a worker, and whoever asks for the status, waiting for seconds; the next follow at once. */
export const MOST_STARTS = 10;

/** Waits that are told: what is next in order matters, not all thousand. */
const MOST_WAITS = 5;

/**
 * Which nodes may start now, and why the next ones may not. Pure and stable: the same view gives the same nodes.
 *
 * A node starts only where its drain takes nothing that is in use: at most one disruption of each PodDisruptionBudget at a
 * time, so drains do not wait for one another. Only when no node fits and nothing drains does one start alone: then its drain
 * says what it waits for.
 */
export function admit(view: PoolView): Admission {
  const state = sizeUp(view);
  const begun: Admission['start'] = [];
  const begin = (entry: Entry): void => {
    begun.push({ node: entry.node.ref, decrement: start(state, entry) });
  };
  while (begun.length < MOST_STARTS && state.inFlight < view.limits.width) {
    const next = first(state, (entry) => obstacle(state, entry) === null);
    if (next === undefined) break;
    begin(next);
  }
  if (begun.length === 0 && !state.draining && state.inFlight < view.limits.width) {
    const alone = first(state, (entry) => obstacle(state, entry) === 'budget');
    if (alone !== undefined) begin(alone);
  }
  return { start: begun, waits: waitsOf(state) };
}

function waitsOf(state: State): Admission['waits'] {
  const { width } = state.view.limits;
  const waits: Admission['waits'] = [];
  const passed = new Set<Entry>();
  for (let looked = 0; looked < MOST_WAITS; looked++) {
    const entry = first(state, (candidate) => !passed.has(candidate));
    if (entry === undefined) break;
    passed.add(entry);
    const why = state.inFlight >= width ? `${state.inFlight} nodes are in flight, no more than ${width} may be now` : explain(state, entry);
    if (!waits.some((wait) => wait.why === why)) waits.push({ node: entry.node.ref, why });
  }
  return waits;
}

/** A scan and not a sort: every start moves the others in the order. */
function first(state: State, fits: (entry: Entry) => boolean): Entry | undefined {
  let best: Entry | undefined;
  for (const entry of state.left) {
    if ((best === undefined || order(state, entry, best) < 0) && fits(entry)) best = entry;
  }
  return best;
}

/**
 * The operator's order; then what is kept for the end late, and before it, as long as new nodes are few, a node with cilium-operator, so
 * that the operator moves once; then the least collision with budgets in use; then the zone and the group with most nodes left, less
 * those in flight, so that nodes at a time come from different zones and every zone keeps capacity; then by how long its pods take to
 * end; then the oldest.
 */
function order(state: State, a: Entry, b: Entry): number {
  return (
    a.node.rank - b.node.rank ||
    (a.node.keptForLast ?? 0) - (b.node.keptForLast ?? 0) ||
    (operatorHasPlaces(state) ? 0 : Number(a.node.hostsOperator) - Number(b.node.hostsOperator)) ||
    a.colliding - b.colliding ||
    b.zone.left - b.zone.flying - (a.zone.left - a.zone.flying) ||
    compare(a.zone.name, b.zone.name) ||
    b.group.left - b.group.flying - (a.group.left - a.group.flying) ||
    compare(a.group.name, b.group.name) ||
    endsFirst(state, a, b) ||
    a.node.created - b.node.created ||
    compare(a.node.ref.name, b.node.ref.name)
  );
}

/**
 * Without a new node, what leaves goes to old ones and has to leave those too: the node first whose pods cost least twice. With one, the
 * slowest first: begun last, it would be what everybody waits for at the end.
 */
function endsFirst({ view }: State, a: Entry, b: Entry): number {
  const [ofA, ofB] = [a.node.ends ?? NO_ENDS, b.node.ends ?? NO_ENDS];
  return (view.fresh ?? 0) === 0 ? ofA.sum - ofB.sum : ofB.slowest - ofA.slowest;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
