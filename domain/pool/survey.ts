import { budgetFinder } from '../kubernetes/budget.js';
import type { LabelSelector } from '../kubernetes/labelSelector.js';
import type { NodeRef } from '../plan.js';
import type { RefreshSpec } from '../spec/schema.js';
import { resolveLimits } from './limits.js';
import { awaitingCanary, room } from './ramp.js';
import type { Ramp } from './ramp.js';
import { rankOf } from './rank.js';
import { keptByZone, keptForLast, lastToGo, openGroups, surplusOf, surplusToGo } from './shrink.js';
import { NO_ENDS } from './view.js';
import type { Ends, PoolNode, PoolView } from './view.js';

export interface SeenNode {
  ref: NodeRef;
  labels: Readonly<Record<string, string>>;
  created: number;
  /** Still to be refreshed: labelled, and without an agent of Cilium. */
  old: boolean;
  /** Ready, schedulable and without a NoSchedule or NoExecute taint. */
  usable: boolean;
  hostsOperator: boolean;
}

/** A pod that a drain would evict. */
export interface SeenPod {
  node: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  /** How long it may take to end. */
  graceSeconds: number;
}

export interface SeenBudget {
  namespace: string;
  name: string;
  selector: LabelSelector | undefined;
  disruptionsAllowed: number;
}

export interface SeenGroup {
  name: string;
  /** DesiredCapacity; null: it has no size (a NodePool of Karpenter: nodes are made when pods wait for them). */
  desired: number | null;
  /** Where we raised it: DesiredCapacity of before, and how many of the nodes that we added are still to go. */
  surge?: { prior: number; added: number } | undefined;
  /** Instance ids that it counts as InService. */
  inService: readonly string[];
  /** Its instances that are not on their way out. Absent: as many as it wants. */
  alive?: number;
}

/** A node in flight, as the run knows it. */
export interface Flight {
  instanceId: string;
  group: string;
  /** Until the last of its pods is gone. */
  draining: boolean;
  decrement: boolean;
  /** It has failed, and waits for a person. Absent: it has not. */
  failing?: boolean;
}

export interface Survey {
  nodes: readonly SeenNode[];
  pods: readonly SeenPod[];
  budgets: readonly SeenBudget[];
  groups: readonly SeenGroup[];
  flights: readonly Flight[];
  /** Instance ids whose termination with decrement is in the ledger: what is `added` is without them. */
  decremented: ReadonlySet<string>;
  /** Instance ids or Node names that are not to be started. */
  exclude: readonly string[];
  /** Instance ids that are to be started only when no other is left. */
  later: readonly string[];
  ramp: Ramp;
  refresh: RefreshSpec;
  /** The run ends early: no old node is started any more, only what a surge has added goes. */
  ending?: boolean;
}

export interface Surveyed {
  view: PoolView;
  /** Most nodes that the limits allow in flight. */
  most: number;
  /** Extra nodes that the limits ask for. */
  maxSurge: number;
  /** Groups of which a node may start now: these have their canaries. One that keeps its extra nodes for others comes to its own late. */
  open: string[];
  /** Groups with a size that have old nodes not in flight: what the extra nodes are shared over. */
  oldNodes: { name: string; oldNodes: number }[];
  /** Extra nodes that go once they are launched: DesiredCapacity is ahead of the instances. Only where no old node is left. */
  unlaunched: number;
}

/** What the pool may choose from, out of what was seen. Pure: numbers in, numbers out. */
export function survey(seen: Survey): Surveyed {
  const flights = new Map(seen.flights.map((flight) => [flight.instanceId, flight]));
  const isFlying = ({ ref }: SeenNode): boolean => flights.has(ref.instanceId);
  const isExcluded = ({ ref }: SeenNode): boolean => seen.exclude.includes(ref.instanceId) || seen.exclude.includes(ref.name);
  const wanted = seen.groups.reduce((sum, { surge, desired }) => sum + (surge?.prior ?? desired ?? 0), 0) + unsized(seen);
  const limits = resolveLimits(seen.refresh, wanted);
  const most = limits.maxSurge + limits.maxUnavailable;
  const surplus = surplusByGroup(seen, false);
  const all = seen.nodes.filter((node) => node.old && !isFlying(node) && !isExcluded(node));
  const others = all.filter(({ ref }) => !seen.later.includes(ref.instanceId));
  // Those that fail may never end: whoever comes again at the end does not wait for them.
  const old = others.length > 0 || seen.flights.some(({ failing }) => failing !== true) ? others : all;
  // A node that was skipped leaves an extra one behind: then Cilium nodes go, once no other is left.
  const over = seen.ending === true || (old.length === 0 && seen.flights.length === 0);
  const there = over ? surplusByGroup(seen, true) : surplus;
  const candidates = over ? surplusNodes(seen, there) : old;
  const budgetsOf = budgetCounter(seen);
  const endsOf = endsCounter(seen);
  const poolNode = (node: SeenNode): PoolNode => ({
    ref: node.ref,
    hostsOperator: node.hostsOperator,
    created: node.created,
    rank: seen.ending === true ? Number(node.usable) : rankOf({ name: node.ref.name, labels: node.labels }, seen.refresh.order),
    usable: node.usable,
    budgets: budgetsOf(node.ref.name),
  });
  const byGroup = seen.groups.map(({ name }) => ({ name, oldNodes: candidates.filter(({ ref }) => ref.group === name).length, surplus: surplus[name] ?? 0 }));
  const open = openGroups(byGroup);
  const waiting = awaitingCanary(seen.ramp, open);
  const zones = zonesByGroup(seen, candidates);
  const kept: Record<string, number> = Object.assign({}, ...zones.map(({ name, zones: of }) => keptForLast(of, surplus[name] ?? 0)));
  const flying = seen.nodes.filter(isFlying).map((node) => ({ ...poolNode(node), draining: flights.get(node.ref.instanceId)?.draining === true }));
  const gone = seen.flights.length - flying.length;
  return {
    view: {
      candidates: candidates.map((node) => ({ ...poolNode(node), keptForLast: kept[node.ref.uid] ?? 0, ends: endsOf(node.ref.name) })),
      inFlight: flying,
      budgets: Object.fromEntries(seen.budgets.map((budget) => [`${budget.namespace}/${budget.name}`, budget.disruptionsAllowed])),
      nodes: { wanted, usable: seen.nodes.filter(({ usable }) => usable).length },
      fresh: seen.nodes.filter((node) => !node.old && node.usable && !isFlying(node)).length,
      limits: {
        maxUnavailable: limits.maxUnavailable,
        // A flight whose Node is gone still counts; it is only not among the nodes any more.
        width: Math.max(0, room(seen.ramp, { most, groups: open, failing: seen.flights.filter(({ failing }) => failing === true).length }) - gone),
        ...(seen.refresh.maxPerZone === undefined ? {} : { perZone: seen.refresh.maxPerZone }),
        ...(seen.refresh.maxPerGroup === undefined ? {} : { perGroup: seen.refresh.maxPerGroup }),
      },
      surplus,
      ...onDemand(seen, old, limits.maxSurge),
      keptByZone: Object.fromEntries(zones.map(({ name, zones: of }) => [name, keptByZone(of, surplus[name] ?? 0)])),
      ...(waiting.length > 0 ? { onlyGroups: waiting } : {}),
    },
    most,
    maxSurge: limits.maxSurge,
    open,
    oldNodes: seen.groups.flatMap(({ name, desired }) => (desired === null ? [] : [{ name, oldNodes: old.filter(({ ref }) => ref.group === name).length }])).filter(({ oldNodes }) => oldNodes > 0),
    unlaunched: over ? seen.groups.reduce((sum, { name }) => sum + (surplus[name] ?? 0) - (there[name] ?? 0), 0) : 0,
  };
}

/**
 * What is wanted beside the groups that have a size: the nodes that there are, in pools without one and in no pool at all. Whatever counts
 * as usable has to count as wanted too, or it would make up for what another group lacks. A node in flight counts until its end, also
 * where its Node is gone; after it, only if it was replaced: where the other nodes have room, nothing comes in its place.
 */
function unsized({ groups, nodes, flights }: Survey): number {
  const sized = new Set(groups.filter(({ desired }) => desired !== null).map(({ name }) => name));
  const flying = new Set(flights.map(({ instanceId }) => instanceId));
  const usable = nodes.filter(({ ref, usable }) => usable && !sized.has(ref.group) && !flying.has(ref.instanceId)).length;
  return usable + flights.filter(({ group }) => !sized.has(group)).length;
}

/** No capacity comes ahead in pools without a size: what of the surge the others cannot take, may be missing there instead. */
function onDemand({ groups }: Survey, old: readonly SeenNode[], maxSurge: number): Pick<PoolView, 'onDemand'> {
  const unsizedGroups = groups.filter(({ desired }) => desired === null).map(({ name }) => name);
  if (unsizedGroups.length === 0) return {};
  const extra = groups.reduce((sum, { desired, surge }) => sum + Math.max(0, (desired ?? 0) - (surge?.prior ?? desired ?? 0)), 0);
  const takers = old.filter(({ ref }) => groups.some(({ name, desired }) => name === ref.group && desired !== null)).length;
  return { onDemand: { groups: unsizedGroups, missing: Math.max(0, maxSurge - Math.max(extra, takers)) } };
}

/**
 * What each group has to lose, without those in flight that will be terminated with decrement and are not yet.
 *
 * @param launched only as far as the instances are there: what was not launched is no reason to end another
 */
function surplusByGroup({ groups, flights, decremented }: Survey, launched: boolean): Record<string, number> {
  return Object.fromEntries(
    groups.map(({ name, desired, surge, inService, alive }) => {
      const going = flights.filter((flight) => flight.decrement && inService.includes(flight.instanceId) && !decremented.has(flight.instanceId)).length;
      if (surge === undefined || desired === null) return [name, 0];
      const surplus = surplusOf({ desired: launched ? Math.min(desired, alive ?? desired) : desired, wantedAtEnd: surge.prior, added: surge.added });
      return [name, Math.max(0, surplus - going)];
    }),
  );
}

/** Cilium nodes that go, as many as each group has to lose; those that were skipped or postponed only stand in their zones. */
function surplusNodes(seen: Survey, surplus: Record<string, number>): SeenNode[] {
  const flying = new Set(seen.flights.map(({ instanceId }) => instanceId));
  const stays = ({ old, ref }: SeenNode): boolean => old || seen.exclude.includes(ref.instanceId) || seen.exclude.includes(ref.name) || seen.later.includes(ref.instanceId);
  // Sooner the youngest, and late one that the operator would have to leave.
  const order = (a: SeenNode, b: SeenNode): number => Number(b.hostsOperator) - Number(a.hostsOperator) || a.created - b.created;
  return seen.groups.flatMap(({ name }) => {
    const own = seen.nodes.filter(({ ref }) => ref.group === name && !flying.has(ref.instanceId));
    const young = own.filter((node) => !stays(node)).sort(order);
    const stayingZones = own.filter(stays).map(({ ref }) => ref.zone);
    const count = surplus[name] ?? 0;
    const gone = seen.ending === true ? surplusToGo({ stayingZones, young }, count) : lastToGo({ stayingZones, old: young.map(({ ref }) => ref) }, count);
    return young.filter(({ ref }) => gone.includes(ref));
  });
}

function zonesByGroup({ nodes, groups, flights }: Survey, candidates: readonly SeenNode[]): { name: string; zones: { stayingZones: string[]; old: NodeRef[] } }[] {
  const left = new Set(candidates);
  const going = new Set(flights.filter(({ decrement }) => decrement).map(({ instanceId }) => instanceId));
  return groups.map(({ name }) => {
    const own = nodes.filter(({ ref }) => ref.group === name);
    const old = own.filter((node) => left.has(node)).sort((a, b) => Number(a.hostsOperator) - Number(b.hostsOperator));
    const staying = own.filter((node) => !left.has(node) && !going.has(node.ref.instanceId));
    return { name, zones: { stayingZones: staying.map(({ ref }) => ref.zone), old: old.map(({ ref }) => ref) } };
  });
}

/** How long the pods of a node may take to end. */
function endsCounter({ pods }: Survey): (node: string) => Ends {
  const ends = new Map<string, Ends>();
  for (const { node, graceSeconds } of pods) {
    const { slowest, sum } = ends.get(node) ?? NO_ENDS;
    ends.set(node, { slowest: Math.max(slowest, graceSeconds), sum: sum + graceSeconds });
  }
  return (node) => ends.get(node) ?? NO_ENDS;
}

/** Pods of each budget on a node. */
function budgetCounter({ pods, budgets }: Survey): (node: string) => Record<string, number> {
  const namesOf = budgetFinder(budgets);
  const counts = new Map<string, Record<string, number>>();
  for (const pod of pods) {
    const of = counts.get(pod.node) ?? {};
    for (const key of namesOf(pod).map((name) => `${pod.namespace}/${name}`)) of[key] = (of[key] ?? 0) + 1;
    counts.set(pod.node, of);
  }
  return (node) => counts.get(node) ?? {};
}
