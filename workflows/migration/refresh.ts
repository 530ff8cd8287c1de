import { condition, patched } from '@temporalio/workflow';
import { pauseOf } from '../../domain/control.js';
import { sha256Hex } from '../../domain/digest.js';
import { countsAfter } from '../../domain/directions/index.js';
import { canaryText } from '../../domain/gates.js';
import type { NodeRef } from '../../domain/plan.js';
import { afterNode, awaitingCanary, recovered, resumed, room, startRamp } from '../../domain/pool/ramp.js';
import type { NodeEnded, Ramp } from '../../domain/pool/ramp.js';
import { pageToFile, postponedIds, withoutPage, withResult } from '../../domain/results.js';
import { shortRun } from '../../domain/names.js';
import { asksForProbes } from '../../domain/probes/asked.js';
import type { NodeResult } from '../../domain/refresh.js';
import type { Admitted, ResizeRequest } from '../../activities/api.js';
import { acts } from '../activityProxies.js';
import { answerUnless } from '../until.js';
import { Flights } from './flights.js';
import type { FlightEvents } from './flights.js';
import { Guarding } from './guarding.js';
import { isContinueAsNew } from './migration.js';
import type { Migration } from './migration.js';

/**
 * Refreshes the nodes, each in its own child workflow, as a pool: whenever one ends, the cluster is asked which may start now.
 * Position in a list is never trusted. First the canaries, one of each group, then more and more at a time.
 */
export async function refreshNodes(migration: Migration): Promise<string> {
  return new Pool(migration).run();
}

/** From so many nodes in flight on, an answer that is under way is not thrown away for a node that ends meanwhile. */
const MANY = 10;
/** So long it may take then, in milliseconds; where answers are slower they get longer, or none would come before all in flight have ended. */
const PATIENCE = { least: 1_000, most: 30_000 };

/** What is known before the cluster was asked. */
const UNASKED: Pick<Admitted, 'most' | 'groups'> = { most: 1, groups: [] };

class Pool {
  readonly #flights: Flights;
  #seen = UNASKED;
  /** Goes up when a node failed or began to: what was asked before must not start another. */
  #turn = 0;
  /** Nodes that ended: what was asked before is still true, but more may be. */
  #ends = 0;
  /** How long an answer is waited for once it is old. */
  #patience = PATIENCE.least;
  /** Nodes that were still to be started, when the cluster was asked last. */
  #left = 0;
  /** Runs that were begun before this knew no nodes that rest because they fail: what they did then is what they go on with. */
  readonly #failingRest = patched('failing-nodes-rest');
  /** Runs that were begun before this looked at the guards while the cluster was asked, and the next node waited for both. */
  readonly #guardsLater = patched('guards-beside-nodes');
  /** … and no node was started, and nobody heard, until that was done. */
  readonly #guardsAside = patched('guards-aside');
  readonly #guards: Guarding;

  constructor(readonly migration: Migration) {
    this.#guards = new Guarding(migration, () => (this.#turn += 1));
    migration.book.ramp ??= startRamp(migration.manifest.spec.refresh.canary);
    this.#flights = new Flights(migration, { ended: (result, failed) => this.#ended(result, failed), failing: (node) => this.#fails(node), orders: () => ordersOf(migration) });
  }

  async run(): Promise<string> {
    const { migration } = this;
    this.#flights.adopt();
    try {
      // The nodes are labelled by now: those get the soft taint.
      if (this.#flights.size === 0) await migration.step(() => acts.holdGuards({ target: migration.target, set: 'whole' }));
      for (;;) {
        await this.#mayGoOn();
        // Before the first change.
        if (!migration.holdsChanging) await this.#guards.hold();
        const [seen] = await Promise.all([this.#ask(), !this.#guardsLater && this.#guards.areOld ? this.#guards.hold() : undefined]);
        if (seen === undefined || (this.#failingRest && pauseOf(migration.control))) continue;
        if (seen.resize) {
          const resized = await migration.step(() => acts.resizeGroups(this.#request()));
          migration.note('notes', resized?.notes ?? []);
          continue;
        }
        const { shouldDecrementDesiredCapacity } = migration.refresh;
        // Of many none says that it is drained: preparing one takes a blink, unless it has to wait, which is told.
        const said = seen.most > MANY ? { terse: true, shownAs: 'drain' as const } : { terse: false };
        for (const { node, decrement, surplus } of seen.start) this.#flights.start(node, { decrement: decrement || shouldDecrementDesiredCapacity, surplus, ...said });
        // While those that were started are under way: none of them waits for it.
        if (this.#guardsLater && this.#guards.areOld && this.#flights.size > 0) {
          if (this.#guardsAside) this.#guards.holdBeside();
          else await this.#guards.hold();
        }
        if (seen.remaining === 0 && this.#flights.size === 0) {
          if (await this.#evensZones()) continue;
          break;
        }
        await this.#room(seen.remaining - seen.start.length);
      }
    } catch (error) {
      // The next run goes on with those in flight.
      if (isContinueAsNew(error)) throw error;
      // What it fails with is no news beside why the run ends.
      await this.#guards.settle().catch(() => undefined);
      await this.#flights.recall(error instanceof Error ? error.message : String(error));
      throw error;
    }
    migration.throwIfAborted();
    await this.#guards.settle();
    await this.#canaryGate();
    await migration.letBreathe();
    return `${migration.book.results.tally.refreshed ?? 0} nodes refreshed`;
  }

  get #ramp(): Ramp {
    return this.migration.book.ramp ?? startRamp(this.migration.manifest.spec.refresh.canary);
  }

  /** Which nodes may start; undefined when that became stale while it was asked. */
  async #ask(): Promise<Admitted | undefined> {
    const { migration } = this;
    const turn = this.#turn;
    const version = migration.control.version;
    const stale = () => this.#turn !== turn || migration.control.version !== version;
    const ends = this.#ends;
    const news = () => this.#ends !== ends;
    const ask = (known: string) => acts.admitNodes({ ...this.#request(), known });
    const many = this.#flights.size >= MANY;
    const answer = await answerUnless(stale, () => migration.look(ask), { hurry: { news, within: many ? this.#patience : 0 } });
    migration.forgetBlockers();
    if (many && !stale()) this.#patience = answer === undefined ? Math.min(PATIENCE.most, 2 * this.#patience) : Math.max(PATIENCE.least, this.#patience / 2);
    if (answer === undefined || stale()) return undefined;
    this.#seen = answer;
    migration.book.counts = answer.counts;
    if (answer.leftAlone.length > 0) migration.note('notes', [`left alone by refresh.leaveAlone: ${answer.leftAlone.join(', ')}`]);
    migration.show();
    return answer;
  }

  #request(): ResizeRequest {
    const { target, refresh } = this.migration;
    return { target, refresh, ramp: this.#ramp, ...this.#exclude(), flights: this.#flights.all() };
  }

  /** One that was postponed comes again, once, when no other is left. */
  #exclude(): { exclude: string[]; later: string[] } {
    const { control, book } = this.migration;
    return { exclude: [...control.skipped.flatMap(({ name, instanceId }) => [name, instanceId]), ...postponedIds(book.results, 2)], later: postponedIds(book.results, 1) };
  }

  /** Before AZRebalance would: zones that became uneven are evened out with a node more and a node less. False: nothing to do. */
  async #evensZones(): Promise<boolean> {
    const { migration } = this;
    const tried = migration.book.evened ?? {};
    const { raised, notes } = await migration.step(() => acts.evenZones({ target: migration.target, tried }));
    migration.book.evened = { ...tried, ...raised };
    migration.note('notes', notes);
    return Object.keys(raised).length > 0;
  }

  /** While no more may be in flight, or none is left that could be, nobody is asked. */
  async #room(remaining: number): Promise<void> {
    const { version } = this.migration.control;
    const [turn, ends] = [this.#turn, this.#ends];
    this.#left = remaining;
    const full = () => remaining === 0 || this.#flights.size >= room(this.#ramp, { ...this.#seen, failing: this.#failing });
    await condition(() => !full() || this.#turn !== turn || this.#ends !== ends || this.migration.control.version !== version);
  }

  /** Pauses, aborts and gates let the nodes in flight come to rest first; a history that grew long is left behind with them in flight. */
  async #mayGoOn(): Promise<void> {
    const { migration } = this;
    do {
      migration.throwIfAborted();
      if (this.#guards.hasFailed || this.#flights.size === 0) await this.#guards.settle();
      if (this.#ramp.tripped && !migration.control.paused) migration.pauseItself(this.#why());
      if (!pauseOf(migration.control)) break;
      await this.#rest();
      // Something may have failed in a pause that was another's: that is told now.
    } while (this.#failingRest);
    await this.#file();
    if (migration.wantsContinueAsNew()) {
      await this.#guards.settle();
      await migration.safePoint();
    }
    if (this.#flights.size === 0) await this.#canaryGate();
    migration.throwIfAborted();
  }

  /** Results of long ago, into the cluster. Canaries stay until their gate has shown them. */
  async #file(): Promise<void> {
    const { migration } = this;
    for (let page = this.#provesCanaries() ? undefined : pageToFile(migration.book.results); page !== undefined; page = pageToFile(migration.book.results)) {
      const filed = page;
      await migration.step(() => acts.fileNodes({ target: migration.target, run: shortRun(migration.ids.firstRunId), ...filed }));
      migration.book.results = withoutPage(migration.book.results, filed);
    }
  }

  #provesCanaries(): boolean {
    return this.#ramp.canary && !this.migration.book.canaryDone;
  }

  /** A pause: the cluster gets its own life back as soon as nothing of ours moves any more. */
  async #rest(): Promise<void> {
    const { migration } = this;
    const over = () => pauseOf(migration.control) === null || migration.control.abort !== null;
    await condition(() => over() || this.#flights.resting(this.#failingRest));
    // Runs that were begun before this stopped again then.
    if (over()) return this.#failingRest ? this.#acknowledged() : undefined;
    this.#flights.hold(true);
    await this.#guards.settle();
    await migration.letBreathe();
    await migration.standStill(over);
    this.#acknowledged();
    await this.#guards.hold();
    this.#flights.hold(false);
  }

  /**
   * Whoever resumes a run that has told why it stopped has seen what failed: it does not stop for that again. What came up in
   * another pause (a person's, the fleet's) nobody was told of yet.
   */
  #acknowledged(): void {
    const { migration } = this;
    if (migration.control.abort !== null || migration.book.problem === null) return;
    migration.book.problem = null;
    migration.book.ramp = resumed(this.#ramp);
  }

  /** Opens once every group has had its canary. */
  async #canaryGate(): Promise<void> {
    const { migration } = this;
    const canaries = migration.book.results.newest.filter((node) => node.outcome === 'refreshed');
    if (!this.#provesCanaries() || this.#seen === UNASKED || canaries.length === 0) return;
    if (awaitingCanary(this.#ramp, this.#seen.groups).length > 0) return;
    await migration.soak('canarySoakSeconds');
    await migration.gate('after-canary', () => Promise.resolve(verdict(migration, canaries)));
    migration.book.canaryDone = true;
  }

  #ended(result: NodeResult, failed: boolean): void {
    const { migration } = this;
    this.#ends += 1;
    if (result.outcome !== 'refreshed') this.#turn += 1;
    record(migration, result);
    const { outcome } = result;
    if (outcome !== 'refreshed' && outcome !== 'unproven') return;
    const wasTripped = this.#ramp.tripped;
    const counted = this.#counted(result.node, outcome === 'refreshed');
    if (!this.#failingRest) {
      migration.book.ramp = afterNode(this.#ramp, counted);
      if (counted.ok) migration.book.ramp = resumed(this.#ramp);
    } else if (counted.ok && failed) migration.book.ramp = recovered(this.#ramp, counted);
    // One that has failed was counted when it began to.
    else if (!failed) migration.book.ramp = afterNode(this.#ramp, counted);
    if (wasTripped && !this.#ramp.tripped) migration.resumeItself(`${result.node.name} was refreshed after all`);
  }

  /** A replacement that does not come up counts before its node ends: it may never end by itself. */
  #fails(node: NodeRef): void {
    this.#turn += 1;
    this.migration.book.ramp = afterNode(this.#ramp, this.#counted(node, false));
  }

  /** Nodes that fail, and hold up nobody but themselves. */
  get #failing(): number {
    return this.#failingRest ? this.#flights.failing : 0;
  }

  #counted({ instanceId, group }: NodeRef, ok: boolean): NodeEnded {
    return { node: instanceId, group, ok, inFlight: this.#flights.size, failing: this.#failing, left: this.#left, most: this.#seen.most, limits: this.migration.refresh.failuresInARow };
  }

  #why(): string {
    const { failures } = this.#ramp;
    const { later } = this.migration.refresh.failuresInARow;
    const blocked = this.migration.status().blocked.slice(0, 3).join(' | ');
    const how = awaitingCanary(this.#ramp, this.#seen.groups).length > 0 ? ' as canary' : failures < later ? ', and no more may be missing' : '';
    return `${failures === 1 ? 'a node' : `${failures} nodes in a row`} failed${how}: ${blocked || 'see the report'}. Mend it, then: ciliate resume ${this.migration.target.migration} --reason TEXT`;
  }
}

function ordersOf({ control }: Migration): ReturnType<FlightEvents['orders']> {
  return { paused: pauseOf(control) !== null, handBack: control.abort ? `aborted: ${control.abort.reason}` : null, drain: control.settings.drain };
}

/** A node is in the report once: what was handed back and tried again is replaced. */
function record(migration: Migration, result: NodeResult): void {
  migration.book.results = withResult(migration.book.results, result);
  if (result.outcome === 'refreshed') {
    // Until the cluster is asked again, so that a gate that opens now shows how far it is.
    migration.book.counts = countsAfter(migration.direction, migration.book.counts, result.replacement !== undefined);
  }
  migration.note('notes', (result.notes ?? []).map((note) => `Node ${result.node.name}: ${note}`));
  if (result.outcome === 'unproven') migration.note('notes', [`Node ${result.node.name}: ${result.why ?? 'not proven'}`]);
}

/** What after-canary decides on: which nodes were replaced by which, and what was proven of them. */
function verdict(migration: Migration, canaries: readonly NodeResult[]): { digest: string; shows: string[] } {
  const shows = [
    ...canaries.flatMap((result) => [
      `${result.node.name} (${result.node.instanceId}, ${result.node.group}) was ${result.outcome}`,
      result.replacement
        ? `its replacement ${result.replacement.name} (${result.replacement.instanceId}, ${result.replacement.zone}) ${migration.direction.proven}`
        : 'no replacement was asked for (ShouldDecrementDesiredCapacity)',
      `${result.evictedPods} pods evicted; their workloads have their ready replicas back`,
    ]),
    ...(asksForProbes(migration.manifest.spec.probes) ? ['every probe of the spec held'] : []),
    `${migration.book.counts[migration.direction.count.old]} nodes are left`,
  ];
  return { digest: sha256Hex(canaryText(canaries)), shows };
}
