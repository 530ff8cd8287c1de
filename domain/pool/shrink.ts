import type { NodeRef } from '../plan.js';

/**
 * Nodes that a group has to lose: what it has above its size at the end, but never more than is still there of what we added.
 * So an autoscaler's nodes are not taken back, and what it took is not taken twice.
 */
export function surplusOf(group: { desired: number; wantedAtEnd: number; added: number }): number {
  return Math.max(0, Math.min(group.desired - group.wantedAtEnd, group.added));
}

/**
 * Groups of which a node may start. Extra nodes stay while any node is left that needs one: groups go to the point where only
 * as many old nodes are left as they have to lose, then these go with decrement. Else a group that ends early would take with
 * it the extra capacity that the others live on.
 */
export function openGroups(groups: readonly { name: string; oldNodes: number; surplus: number }[]): string[] {
  const left = groups.filter(({ oldNodes }) => oldNodes > 0);
  const open = left.filter(({ oldNodes, surplus }) => oldNodes > surplus);
  return (open.length > 0 ? open : left).map(({ name }) => name);
}

/** A group, as far as its zones are concerned. */
export interface GroupZones {
  /** Zones of the nodes that stay: on Cilium, booting, skipped, and in flight without decrement (they come back). */
  stayingZones: readonly string[];
  /** Nodes to be refreshed, in their order; those with cilium-operator last. */
  old: readonly NodeRef[];
}

/**
 * The nodes of one group that are to be terminated with decrement, the next one first: each from the zone that has most
 * nodes then, so that the zones end balanced and AZRebalance has nothing to do when it is resumed.
 */
export function lastToGo(group: GroupZones, count: number): NodeRef[] {
  const total = new Map<string, number>();
  for (const zone of [...group.stayingZones, ...group.old.map((node) => node.zone)]) total.set(zone, (total.get(zone) ?? 0) + 1);
  const left = [...group.old];
  const oldIn = (zone: string): number => left.filter((node) => node.zone === zone).length;
  const picked: NodeRef[] = [];
  const pickedIn = (zone: string): number => picked.filter((node) => node.zone === zone).length;
  while (picked.length < count && left.length > 0) {
    const zones = [...new Set(left.map((node) => node.zone))];
    const [zone] = zones.sort((a, b) => (total.get(b) ?? 0) - (total.get(a) ?? 0) || pickedIn(a) - pickedIn(b) || oldIn(b) - oldIn(a) || (a < b ? -1 : 1));
    const [node] = left.splice(left.findLastIndex((candidate) => candidate.zone === zone), 1);
    if (node === undefined) break;
    picked.push(node);
    total.set(node.zone, (total.get(node.zone) ?? 0) - 1);
  }
  return picked;
}

/** A Cilium node of a group that has nodes to lose. */
export interface YoungNode {
  ref: NodeRef;
  usable: boolean;
}

/**
 * Which nodes a run gives up that ends in the middle of a surge: those first that nobody uses yet (they boot, or never came up:
 * nothing has to be drained), then by `lastToGo`.
 *
 * @param group `young`: in the order in which they would rather stay
 */
export function surplusToGo({ stayingZones, young }: { stayingZones: readonly string[]; young: readonly YoungNode[] }, count: number): NodeRef[] {
  const refs = (usable: boolean): NodeRef[] => young.filter((node) => node.usable === usable).map(({ ref }) => ref);
  const zonesOf = (nodes: readonly NodeRef[]): string[] => nodes.map(({ zone }) => zone);
  const [busy, idle] = [refs(true), refs(false)];
  const first = lastToGo({ stayingZones: [...stayingZones, ...zonesOf(busy)], old: idle }, count);
  const rest = idle.filter((ref) => !first.includes(ref));
  return [...first, ...lastToGo({ stayingZones: [...stayingZones, ...zonesOf(rest)], old: busy }, count - first.length)];
}

/**
 * How late each node of a group is to go (PoolNode.keptForLast), by Node UID: those that go with decrement last of all, and
 * just before them some from other zones. For where the last node that is replaced comes from the fullest zone, Auto Scaling
 * launches the new one anywhere; there has to be an old node left wherever that is.
 */
export function keptForLast(group: GroupZones, surplus: number): Record<string, number> {
  if (surplus === 0) return {};
  const zones = new Set([...group.stayingZones, ...group.old.map(({ zone }) => zone)]).size;
  const last = lastToGo(group, surplus + zones - 1);
  return Object.fromEntries(last.map(({ uid }, index) => [uid, last.length - index]));
}

/** How many nodes a group keeps in each zone for the last (PoolView.keptByZone): which of them they are is open. */
export function keptByZone(group: GroupZones, surplus: number): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const { zone } of lastToGo(group, surplus)) kept[zone] = (kept[zone] ?? 0) + 1;
  return kept;
}

/**
 * Whether AZRebalance would launch and terminate (undrained) once it is resumed. Where Auto Scaling launches is not ours, so
 * this can be, seldom; then one extra node (it comes where there are fewest) and one Cilium node less, by `lastToGo`, mends it.
 *
 * @param zones all zones of the group, also those without a node
 */
export function isSkewed(zones: readonly string[], nodeZones: readonly string[]): boolean {
  const counts = zones.map((zone) => nodeZones.filter((other) => other === zone).length);
  return counts.length > 1 && Math.max(...counts) - Math.min(...counts) > 1;
}

/**
 * Whether a group's zones are ours to even out: uneven now, and not before we came (`before`: instances in each zone, from when
 * we suspended AZRebalance; absent: it was suspended already, so nobody would even them out behind our back).
 */
export function isOursToEven(now: Readonly<Record<string, number>>, before: Readonly<Record<string, number>> | undefined): boolean {
  if (before === undefined) return false;
  const zones = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  const nodes = (counts: Readonly<Record<string, number>>): string[] => Object.entries(counts).flatMap(([zone, count]) => Array.from({ length: count }, () => zone));
  return isSkewed(zones, nodes(now)) && !isSkewed(zones, nodes(before));
}

/** How uneven a group's zones are: one node moved from a fuller zone to an emptier one always lowers it. */
export function unevenness(zones: Readonly<Record<string, number>>): number {
  return Object.values(zones).reduce((sum, count) => sum + count * count, 0);
}

/** A group as it was seen just before the call. */
export interface GroupSeen {
  desired: number;
  min: number;
  /** Lifecycle state of the instance that is to go, e.g. `InService`, `Terminating:Wait`; undefined: it is not of the group. */
  lifecycle: string | undefined;
}

/**
 * `none`: it is on its way already, also where EC2 still says running (lifecycle hooks, a load balancer that drains): a second
 * call could decrement twice. `refuse`: it is no longer the group's to end.
 */
export type Verdict = { call: 'none' | 'refuse'; why: string } | { call: 'terminate'; decrement: boolean; why: string };

/**
 * How the termination of one node is to be called, from what the group is now and never from what was done before.
 *
 * @param wanted `decrement`: that it was admitted as one of the last; `atEnd`: DesiredCapacity that the group is to end with, null
 *   where we did not raise it: then it is the spec that wants it smaller, and AWS says where it cannot be
 */
export function decrementVerdict(seen: GroupSeen, wanted: { decrement: boolean; atEnd: number | null }): Verdict {
  const { desired, min, lifecycle } = seen;
  if (lifecycle === undefined || lifecycle.startsWith('Detach')) return { call: 'refuse', why: 'the instance is not in the group' };
  if (lifecycle.startsWith('Terminat')) return { call: 'none', why: `the instance is ${lifecycle}` };
  const keep = (why: string): Verdict => ({ call: 'terminate', decrement: false, why });
  if (!wanted.decrement) return keep('it is replaced');
  // One that boots counts already: DesiredCapacity is what is wanted, not what is there.
  if (lifecycle !== 'InService' && !lifecycle.startsWith('Pending')) return keep(`the instance is ${lifecycle}, so DesiredCapacity does not count it`);
  if (wanted.atEnd === null) return { call: 'terminate', decrement: true, why: 'the group is to shrink' };
  if (desired <= wanted.atEnd) return keep(`DesiredCapacity is ${desired}, ${wanted.atEnd} are to stay`);
  if (desired <= min) return keep(`DesiredCapacity is ${desired}, MinSize ${min}`);
  return { call: 'terminate', decrement: true, why: `DesiredCapacity is ${desired}, ${wanted.atEnd} are to stay` };
}
