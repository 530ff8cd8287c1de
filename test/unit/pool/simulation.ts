import fc from 'fast-check';
import { admit } from '../../../domain/pool/admit.js';
import { resolveLimits } from '../../../domain/pool/limits.js';
import { afterNode, awaitingCanary, resumed, startRamp, width } from '../../../domain/pool/ramp.js';
import type { Ramp } from '../../../domain/pool/ramp.js';
import { decrementVerdict, isSkewed, keptByZone, keptForLast, lastToGo, openGroups, surplusOf, surplusToGo } from '../../../domain/pool/shrink.js';
import { restore, sizePlan, surgeShares } from '../../../domain/pool/surge.js';
import type { GroupZones } from '../../../domain/pool/shrink.js';
import type { PoolNode, PoolView } from '../../../domain/pool/view.js';

export interface Scenario {
  groups: { size: number; zones: number; maxAbove: number }[];
  apps: { replicas: number; maxUnavailable: number }[];
  maxSurge: number;
  maxUnavailable: number;
  canary: boolean;
  /** Of 100 nodes, how many cannot be refreshed and are skipped. */
  failing: number;
  perZone?: number;
  perGroup?: number;
  ranks: number;
  seed: number;
  /** The run is aborted at this tick. */
  abortAt?: number;
}

export const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  groups: fc.array(fc.record({ size: fc.integer({ min: 1, max: 15 }), zones: fc.integer({ min: 1, max: 3 }), maxAbove: fc.nat({ max: 4 }) }), { minLength: 1, maxLength: 4 }),
  apps: fc.array(fc.record({ replicas: fc.integer({ min: 1, max: 8 }), maxUnavailable: fc.constantFrom(0, 1, 1, 1, 2, 3) }), { maxLength: 8 }),
  maxSurge: fc.nat({ max: 10 }),
  maxUnavailable: fc.nat({ max: 5 }),
  canary: fc.boolean(),
  failing: fc.constantFrom(0, 0, 10, 50),
  perZone: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  perGroup: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  ranks: fc.constantFrom(1, 1, 3),
  seed: fc.nat(),
});

interface Group {
  name: string;
  zones: string[];
  desired: number;
  max: number;
  atEnd: number;
  priorMax: number;
  added: number;
}
interface Machine {
  node: PoolNode;
  group: Group;
  old: boolean;
  boots: number;
  lifecycle: 'InService' | 'Terminating';
  cordoned: boolean;
  fails: boolean;
  skipped: boolean;
  starts: number;
}
interface Pod {
  app: number;
  on: Machine | null;
  readyAt: number;
}
interface Flight {
  machine: Machine;
  decrement: boolean;
  draining: boolean;
  replacement: Machine | null;
  evicted: Pod[];
  /** Started although a budget had nothing left. */
  alone: boolean;
  idle: number;
}
export interface Ended {
  ticks: number;
  failures: number;
  /** Cilium nodes drained, because an old node was skipped that was to go with decrement, or to balance zones. */
  retired: number;
  /** Nodes launched only to balance zones. */
  balanced: number;
  refused: number;
  /** Evictions from Cilium nodes: a replica that moves twice. */
  movedAgain: number;
  replicas: number;
  aborted: boolean;
  /** Groups of an aborted run whose zones differ by more than one. */
  skewed: number;
}

/** No eviction for so long: the node's time limit is reached. */
const STUCK = 12;
const MOST_TICKS = 5000;

/** A cluster of its own small world: Auto Scaling, an Eviction API and a scheduler, as far as the pool depends on them. */
export function simulate(scenario: Scenario): Ended {
  const random = mulberry(scenario.seed);
  const dice = (sides: number): number => Math.floor(random() * sides);
  const pick = <T>(from: readonly T[]): T => must(from[dice(from.length)]);
  let ids = 0;
  let now = 0;
  let ramp: Ramp = startRamp(scenario.canary);
  const ended: Ended = { ticks: 0, failures: 0, retired: 0, balanced: 0, refused: 0, movedAgain: 0, replicas: 0, aborted: false, skewed: 0 };
  const machines: Machine[] = [];
  const flights: Flight[] = [];
  let aborting = false;

  const groups = scenario.groups.map(({ size, zones, maxAbove }, index): Group => {
    const sizes = { desired: size, max: size + maxAbove };
    return { name: `g${index}`, zones: ['a', 'b', 'c'].slice(0, zones), ...sizes, atEnd: size, priorMax: sizes.max, added: 0 };
  });
  const of = (group: Group): Machine[] => machines.filter((machine) => machine.group === group);
  /** Auto Scaling launches into a zone with the fewest instances. */
  const launch = (group: Group, old: boolean): Machine => {
    const counts = group.zones.map((zone) => of(group).filter(({ node }) => node.ref.zone === zone).length);
    const zone = pick(group.zones.filter((_, index) => counts[index] === Math.min(...counts)));
    const id = ids++;
    const ref = { name: `ip-${id}`, uid: `uid-${id}`, instanceId: `i-${id}`, group: group.name, zone };
    const node: PoolNode = { ref, hostsOperator: false, created: dice(5), rank: dice(scenario.ranks), usable: true, budgets: {} };
    const machine: Machine = {
      node, group, old, boots: old ? 0 : 1 + dice(3), lifecycle: 'InService', cordoned: false, fails: old && dice(100) < scenario.failing, skipped: false, starts: 0,
    };
    machines.push(machine);
    return machine;
  };
  for (const group of groups) for (let count = 0; count < group.desired; count++) launch(group, true);
  const hosts = [pick(machines), pick(machines)];
  const wanted = machines.length;
  const most = resolveLimits(scenario, wanted);
  let limits = resolveLimits(scenario, wanted);
  const pods: Pod[] = scenario.apps.flatMap(({ replicas }, app) => Array.from({ length: replicas }, (): Pod => ({ app, on: pick(machines), readyAt: 0 })));

  ended.replicas = pods.length;
  const isUsable = ({ boots, cordoned }: Machine): boolean => boots === 0 && !cordoned;
  const podsOn = (machine: Machine): Pod[] => pods.filter(({ on }) => on === machine);
  const isReady = ({ on, readyAt }: Pod): boolean => on !== null && readyAt <= now;
  const allowed = (app: number): number => {
    const { replicas, maxUnavailable } = must(scenario.apps[app]);
    return Math.max(0, pods.filter((pod) => pod.app === app && isReady(pod)).length - (replicas - maxUnavailable));
  };
  const budgetName = (app: number): string => `shop/app-${app}`;
  const poolNode = (machine: Machine): PoolNode => {
    const budgets: Record<string, number> = {};
    for (const { app } of podsOn(machine)) budgets[budgetName(app)] = (budgets[budgetName(app)] ?? 0) + 1;
    return { ...machine.node, budgets, usable: isUsable(machine), hostsOperator: hosts.includes(machine) };
  };
  const uses = (flight: Flight, app: number): boolean => flight.draining && podsOn(flight.machine).some((pod) => pod.app === app);
  const surplus = (group: Group): number =>
    surplusOf({ desired: group.desired, wantedAtEnd: group.atEnd, added: group.added }) - flights.filter((flight) => flight.decrement && flight.machine.group === group && machines.includes(flight.machine)).length;

  /** Old nodes; when none is left and a skipped one left an extra node behind, Cilium nodes that go with decrement. */
  function candidates(): Machine[] {
    const old = machines.filter((machine) => machine.old && machine.starts === 0);
    if (!ended.aborted && (old.length > 0 || flights.length > 0)) return old;
    return groups.flatMap((group) => {
      const own = of(group).filter((machine) => !flights.some((flight) => flight.machine === machine));
      const young = own.filter((machine) => !machine.old && !machine.skipped);
      const stayingZones = own.filter((machine) => !young.includes(machine)).map(({ node }) => node.ref.zone);
      const gone = ended.aborted
        ? surplusToGo({ stayingZones, young: young.map((machine) => ({ ref: machine.node.ref, usable: isUsable(machine) })) }, surplus(group))
        : lastToGo({ stayingZones, old: young.map(({ node }) => node.ref) }, surplus(group));
      return young.filter(({ node }) => gone.includes(node.ref));
    });
  }

  function zonesOfGroup(group: Group, left: readonly Machine[]): GroupZones {
    const going = flights.filter(({ decrement }) => decrement).map(({ machine }) => machine);
    const staying = of(group).filter((machine) => !left.includes(machine) && !going.includes(machine));
    const old = left.filter((machine) => machine.group === group).sort((a, b) => Number(hosts.includes(a)) - Number(hosts.includes(b)));
    return { stayingZones: staying.map(({ node }) => node.ref.zone), old: old.map(({ node }) => node.ref) };
  }

  function look(): PoolView {
    const left = candidates();
    const counts = groups.map((group) => ({ name: group.name, oldNodes: left.filter((machine) => machine.group === group).length, surplus: surplus(group) }));
    const open = openGroups(counts);
    const waiting = awaitingCanary(ramp, open);
    const kept = Object.assign({}, ...groups.map((group) => keptForLast(zonesOfGroup(group, left), surplus(group)))) as Record<string, number>;
    const budgets = scenario.apps.map((_, app): [string, number] => {
      const evicting = flights.filter((flight) => uses(flight, app) && flight.evicted.some((pod) => pod.app === app && !isReady(pod)));
      return [budgetName(app), allowed(app) + evicting.length];
    });
    return {
      candidates: left.map((machine) => ({ ...poolNode(machine), keptForLast: kept[machine.node.ref.uid] })),
      inFlight: flights.map(({ machine, draining }) => ({ ...poolNode(machine), usable: isUsable(machine) && machines.includes(machine), draining })),
      budgets: Object.fromEntries(budgets),
      nodes: { wanted, usable: machines.filter(isUsable).length },
      limits: {
        maxUnavailable: limits.maxUnavailable,
        width: width(ramp, { most: limits.maxSurge + limits.maxUnavailable, groups: open }),
        perZone: scenario.perZone,
        perGroup: scenario.perGroup,
      },
      keptByZone: Object.fromEntries(groups.map((group) => [group.name, keptByZone(zonesOfGroup(group, left), surplus(group))])),
      surplus: Object.fromEntries(counts.map((count) => [count.name, count.surplus])),
      onlyGroups: waiting.length > 0 ? waiting : undefined,
    };
  }

  function startNodes(): void {
    if (flights.length >= limits.maxSurge + limits.maxUnavailable) return;
    const seen = look();
    if (seen.candidates.length === 0) return;
    const begun = admit(seen).start;
    for (const { node, decrement } of begun) {
      const machine = must(machines.find((each) => each.node.ref === node));
      const apps = new Set(podsOn(machine).map(({ app }) => app));
      const over = [...apps].filter((app) => flights.filter((flight) => uses(flight, app)).length + 1 > (seen.budgets[budgetName(app)] ?? 0));
      if (over.length > 0) claim(flights.every(({ draining }) => !draining), `${node.name} takes more than the budget of app ${over.join()} allows`);
      if (over.length > 0) claim(begun.length === 1, 'more than one node started beside one that is alone');
      claim(machine.starts++ === 0, `${node.name} started twice`);
      machine.cordoned = true;
      if (!machine.old) ended.retired += 1;
      flights.push({ machine, decrement, draining: true, replacement: null, evicted: [], alone: over.length > 0, idle: 0 });
    }
    if (begun.length === 0) return;
    claim(flights.length <= seen.limits.width, 'wider than the ramp allows');
    const flying = flights.map(({ machine }) => machine.node.ref);
    for (const { node } of begun) {
      claim(flying.filter(({ zone }) => zone === node.zone).length <= (scenario.perZone ?? Infinity), `more than perZone in ${node.zone}`);
      claim(flying.filter(({ group }) => group === node.group).length <= (scenario.perGroup ?? Infinity), `more than perGroup in ${node.group}`);
    }
  }

  function endFlight(flight: Flight, ok: boolean): void {
    ramp = afterNode(ramp, { node: flight.machine.node.ref.instanceId, group: flight.machine.group.name, ok, inFlight: flights.length, most: limits.maxSurge + limits.maxUnavailable, limits: { canary: 1, later: 3 } });
    flights.splice(flights.indexOf(flight), 1);
    if (ok) return;
    ended.failures += 1;
    if (ramp.tripped) ramp = resumed(ramp);
  }

  function drain(flight: Flight): void {
    const { machine } = flight;
    for (const app of new Set(podsOn(machine).map((pod) => pod.app))) {
      if (flight.evicted.some((pod) => pod.app === app && !isReady(pod))) continue;
      const pod = must(podsOn(machine).find((each) => each.app === app));
      if (allowed(app) < 1) {
        ended.refused += 1;
        const excused = flights.some((each) => each.alone) || scenario.apps[app]?.maxUnavailable === 0;
        claim(excused, `a drain waits for app ${app}, whose budget another uses`);
        continue;
      }
      pod.on = null;
      flight.evicted.push(pod);
      if (!machine.old) ended.movedAgain += 1;
      flight.idle = 0;
    }
    if (podsOn(machine).length === 0 && !machine.fails) return terminate(flight);
    flight.idle += 1;
    if (flight.idle > STUCK || (machine.fails && dice(4) === 0)) {
      machine.cordoned = false;
      machine.skipped = true;
      endFlight(flight, false);
    }
  }

  function terminate(flight: Flight): void {
    const { machine } = flight;
    const { group } = machine;
    // The second call is the retry of an activity that crashed after the first.
    for (let call = 0; call <= dice(2); call++) {
      const verdict = decrementVerdict({ desired: group.desired, min: 0, lifecycle: machine.lifecycle }, { decrement: flight.decrement, atEnd: group.atEnd });
      if (verdict.call !== 'terminate') continue;
      claim(verdict.decrement === flight.decrement, `${machine.node.ref.name} was admitted otherwise: ${verdict.why}`);
      machine.lifecycle = 'Terminating';
      if (verdict.decrement) {
        group.desired -= 1;
        group.added -= 1;
      }
    }
    machines.splice(machines.indexOf(machine), 1);
    flight.draining = false;
    if (of(group).length < group.desired) flight.replacement = launch(group, false);
  }

  /** What still drains is handed back; the rest comes to its end, then the extra nodes go. */
  function abort(): void {
    for (const flight of flights.filter(({ draining }) => draining)) {
      flight.machine.cordoned = false;
      flight.machine.starts = flight.machine.old ? 1 : 0;
      flights.splice(flights.indexOf(flight), 1);
    }
    ended.aborted = true;
    aborting = true;
    ramp = startRamp(false);
  }

  function tick(): void {
    now += 1;
    if (now === scenario.abortAt) abort();
    // Nothing is started before all has come to rest.
    if (aborting && flights.length === 0) {
      aborting = false;
      limits = resolveLimits({ maxSurge: 0, maxUnavailable: scenario.maxUnavailable }, wanted);
    }
    for (const machine of machines) machine.boots = Math.max(0, machine.boots - 1);
    const usable = machines.filter(isUsable);
    const young = usable.filter(({ old }) => !old);
    for (const pod of pods) {
      if (pod.on !== null || usable.length === 0) continue;
      pod.on = pick(!ended.aborted && young.length > 0 ? young : usable);
      pod.readyAt = now + 1 + dice(2);
    }
    for (const flight of [...flights]) {
      if (flight.draining) drain(flight);
      else if (flight.replacement === null || flight.replacement.boots === 0) endFlight(flight, true);
    }
    if (!aborting) startNodes();
  }

  function check(): void {
    scenario.apps.forEach(({ replicas, maxUnavailable }, app) => {
      const ready = pods.filter((pod) => pod.app === app && isReady(pod)).length;
      claim(ready >= replicas - maxUnavailable, `app ${app} has ${ready} ready of ${replicas}`);
    });
    const usable = machines.filter(isUsable).length;
    claim(usable >= wanted - limits.maxUnavailable, `${usable} usable nodes of ${wanted}`);
    claim(machines.length <= wanted + most.maxSurge, `${machines.length} nodes, started with ${wanted}`);
    for (const group of groups) claim(group.desired <= group.max, `${group.name}: DesiredCapacity above MaxSize`);
  }

  /** Extra capacity of a group: launched first. */
  function grow(group: Group, extra: number): void {
    const plan = sizePlan(group, extra, group);
    group.desired += plan.desired;
    group.max += plan.max;
    group.added += plan.desired;
    while (of(group).length < group.desired) launch(group, false);
  }
  const zonesOf = (group: Group): string[] => of(group).map(({ node }) => node.ref.zone);

  const shares = surgeShares(groups.map((group) => ({ name: group.name, oldNodes: group.desired })), limits.maxSurge);
  for (const group of groups) grow(group, shares[group.name] ?? 0);
  for (;;) {
    while (flights.length > 0 || aborting || candidates().length > 0) {
      tick();
      check();
      claim(now < MOST_TICKS, `no end: ${JSON.stringify(admit(look()).waits)}`);
    }
    const skewed = groups.find((group) => isSkewed(group.zones, zonesOf(group)));
    if (skewed === undefined || ended.aborted) break;
    // One more node comes where there are fewest, one goes where there are most.
    ended.balanced += 1;
    grow(skewed, 1);
  }
  for (const machine of machines) claim(!machine.old || machine.skipped || ended.aborted, `${machine.node.ref.name} was forgotten`);
  for (const group of groups) {
    claim(group.desired === group.atEnd && of(group).length === group.atEnd, `${group.name} ends with ${group.desired}, started with ${group.atEnd}`);
    const restored = restore({ kind: 'max', prior: group.priorMax, ours: group.max }, { ...group, instances: of(group).length });
    claim((restored.set ?? group.max) === group.priorMax, `${group.name}: MaxSize ${group.max}, was ${group.priorMax}`);
    const counts = group.zones.map((zone) => zonesOf(group).filter((other) => other === zone).length);
    if (ended.aborted && isSkewed(group.zones, zonesOf(group))) ended.skewed += 1;
    else claim(Math.max(...counts) - Math.min(...counts) <= 1, `${group.name}: zones with ${counts.join()} nodes`);
  }
  return { ...ended, ticks: now };
}

function claim(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

/** A small seeded generator: a failing run can be repeated. */
function mulberry(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
