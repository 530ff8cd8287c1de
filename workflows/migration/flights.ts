import { condition, getExternalWorkflowHandle, ParentClosePolicy, patched, sleep, startChild } from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { Semaphore } from 'async-mutex';
import { landed } from '../../domain/control.js';
import { nodeWorkflowId } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Flight as SeenFlight } from '../../domain/pool/survey.js';
import { asksForProbes } from '../../domain/probes/asked.js';
import type { NodeProgress, NodeResult, NodeStep } from '../../domain/refresh.js';
import { now } from '../clock.js';
import { stepFailure } from '../failure.js';
import { steerSignal } from '../messages.js';
import type { FlightPlan, Steering } from '../messages.js';
import type { refreshNode } from '../refreshNode.js';
import type { CarriedFlight } from './book.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';

/** What the pool hears of its nodes. */
export interface FlightEvents {
  /** `failed`: its replacement did not come up at first, which was told. */
  ended(result: NodeResult, failed: boolean): void;
  /** Its replacement does not come up: told once. */
  failing(node: NodeRef): void;
  /** What is wanted of all of them right now, whatever is said of one. */
  orders(): Pick<Steering, 'paused' | 'handBack' | 'drain'>;
}

/** How often a node that another run had started is asked whether it is still there. */
const CHECK = '20m';

/**
 * So many nodes are spoken to at a time. Each that hears something is a task of its own, and a hundred of them at once, told that the run
 * continues as new, keep whoever asks for the status waiting for seconds.
 */
const SPOKEN_TO = 10;

/** One node in flight. */
interface Flight {
  node: NodeRef;
  plan: FlightPlan;
  /** Another run started it: its end comes as a signal. */
  adopted: boolean;
  /** Its workflow knows that it may outlive this run, and so will tell its end by a signal; its news waits for the next run. */
  hushed: boolean;
  failing: boolean;
  ended: boolean;
  /** Number of its newest steering. */
  turn: number;
}

/** Why a node is handed back that an operator skipped. */
export const SKIPPED = 'skipped';

/** Steps that tell whether a replacement is good. */
const PROVING: NodeStep[] = ['await-replacement', 'await-workloads', 'await-probes'];

/**
 * The nodes in flight: child workflows, what operators say passed on to them, and their ends. When the run continues as new
 * they go on: each is told before, and tells the next run its end by a signal (docs/adr/0011).
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  #held = false;
  #comeDown: string | null = null;
  #continues = false;
  #sources: unknown[] = [];
  readonly #speech = new Semaphore(SPOKEN_TO);
  /** Runs that were begun before this spoke to all of them at once. */
  readonly #fewAtATime = patched('few-spoken-to-at-a-time');

  constructor(
    readonly migration: Migration,
    readonly events: FlightEvents,
  ) {}

  /** Goes on with those that the run before has left in flight, and hears of ends from now on. */
  adopt(): void {
    const { migration } = this;
    const carried = migration.book.flights.splice(0).map(({ progress, plan, failing, turn = 0 }): Flight => ({ node: progress.node, plan, adopted: true, hushed: false, failing, ended: false, turn: turn + 1 }));
    for (const flight of carried) this.#flights.set(flight.node.instanceId, flight);
    // All at once: what was said of one that is not among those in flight is over (its gate force, its approvals).
    this.#tellControl();
    for (const flight of carried) this.#hear(flight);
    migration.pool = { ended: (result) => this.#heardEnd(result), carry: () => this.#carry(), carried: () => this.#carried() };
  }

  get size(): number {
    return this.#flights.size;
  }

  /** Nodes whose replacements do not come up; none that has ended. */
  get failing(): number {
    return [...this.#flights.values()].filter(({ failing, ended }) => failing && !ended).length;
  }

  /** What admission needs to know of them. */
  all(): SeenFlight[] {
    return [...this.#flights].map(([instanceId, { node, plan, failing }]) => {
      const step = this.migration.flying.get(instanceId)?.step;
      return { instanceId, group: node.group, decrement: plan.decrement, draining: step === 'prepare' || step === 'drain', ...(failing ? { failing } : {}) };
    });
  }

  start(node: NodeRef, plan: FlightPlan): void {
    const flight: Flight = { node, plan, adopted: false, hushed: false, failing: false, ended: false, turn: 0 };
    this.#flights.set(node.instanceId, flight);
    this.migration.flying.set(node.instanceId, { ...begun(node), step: plan.shownAs ?? 'prepare' });
    this.#tellControl();
    void this.#fly(flight).catch((error: unknown) => this.#end(flight, lost(node, stepFailure(error).message)));
  }

  /**
   * All of them rest in the middle of their drains, or wait for what does not come up, or there are none. A node that rested for a pause
   * before, and was told to go on since, may have gone on: its word counts only if it has heard the newest steering.
   *
   * @param orFailing whether one that fails rests as well
   */
  resting(orFailing: boolean): boolean {
    return [...this.#flights.values()].every(({ node, turn, failing }) => {
      if (failing && orFailing) return true;
      const { paused, heard = turn } = this.migration.flying.get(node.instanceId) ?? begun(node);
      return paused && heard === turn;
    });
  }

  /** While held, a node that rests stays at rest, whatever operators say: the guards are not taken yet. */
  hold(held: boolean): void {
    this.#held = held;
    // Seen by the conditions that steer.
    this.migration.show();
  }

  /** The run ends: what can still be handed back is. Returns when none is in flight. */
  async recall(why: string): Promise<void> {
    this.#comeDown = why;
    await condition(() => this.size === 0);
  }

  /** Told before the run continues as new. A node that does not hear of it has ended: its end is heard here. */
  async #carry(): Promise<void> {
    this.#continues = true;
    await condition(() => [...this.#flights.values()].every(({ hushed }) => hushed));
  }

  #carried(): CarriedFlight[] {
    return [...this.#flights.values()].map(({ node, plan, failing, turn }) => ({ plan, failing, turn, progress: this.migration.flying.get(node.instanceId) ?? begun(node) }));
  }

  #hear(flight: Flight): void {
    const child = getExternalWorkflowHandle(nodeWorkflowId(this.migration.target.migration, flight.node.instanceId));
    void this.#supervise(flight, { told: undefined, steer: (steering) => child.signal(steerSignal, steering) });
  }

  async #fly(flight: Flight): Promise<void> {
    const { node } = flight;
    const steering = this.#steering(flight);
    const child = await this.#child(flight, steering);
    if (child === undefined) return this.#drop(flight);
    child.result().then(
      (result) => this.#end(flight, result),
      // A child never fails by itself: it was terminated.
      (error: unknown) => this.#end(flight, lost(node, stepFailure(error).message)),
    );
    await this.#supervise(flight, { told: steering, steer: (next) => child.signal(steerSignal, next) });
  }

  /**
   * The node's workflow id is its lock: one that is still open (its parent was terminated) is on its way back, so it is awaited.
   * Undefined where the run continues as new before it was.
   */
  async #child({ node, plan }: Flight, steering: Steering): Promise<ChildWorkflowHandle<typeof refreshNode> | undefined> {
    const { target } = this.migration;
    // They are for a node that was replaced: an extra one goes, also where they were why the run ended.
    const { probes } = this.migration.manifest.spec;
    for (;;) {
      try {
        return await startChild<typeof refreshNode>('refreshNode', {
          workflowId: nodeWorkflowId(target.migration, node.instanceId),
          args: [{ target, node, ...plan, ...(asksForProbes(probes) && !plan.surplus ? { probes } : {}), steering: { ...steering, turn: 0 } }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          staticSummary: `${node.name} in ${node.group}, ${node.zone}`.slice(0, 200),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const { handBack } = this.events.orders();
        if (handBack !== null) throw new RunEnd('aborted', handBack);
        if (this.#continues) return undefined;
        await sleep('2s');
      }
    }
  }

  /** Passes on what operators say until the node ends. Its end always comes: nothing here ends it. */
  async #supervise(flight: Flight, { told, steer }: { told: Steering | undefined; steer: (steering: Steering) => Promise<void> }): Promise<void> {
    let text = told === undefined ? '' : JSON.stringify(told);
    let compared: unknown[] | undefined;
    const isOther = () => {
      const sources = this.#steeringSources();
      if (sources === compared) return false;
      compared = sources;
      return JSON.stringify(this.#steering(flight)) !== text;
    };
    const news = () => flight.ended || isOther() || this.#beginsToFail(flight);
    for (;;) {
      const isNews = flight.adopted ? await condition(news, CHECK) : await condition(news).then(() => true);
      if (flight.ended) return;
      if (this.#beginsToFail(flight)) {
        flight.failing = true;
        this.events.failing(flight.node);
      }
      if (isNews && JSON.stringify(this.#steering(flight)) === text) continue;
      compared = undefined;
      const say = async (): Promise<void> => {
        if (!flight.ended) text = await this.#say(flight, steer);
      };
      await (this.#fewAtATime ? this.#speech.runExclusive(say) : say());
    }
  }

  /** What is wanted of it by now; returns it as it was said. */
  async #say(flight: Flight, steer: (steering: Steering) => Promise<void>): Promise<string> {
    const steering = this.#steering(flight);
    try {
      await steer({ ...steering, turn: ++flight.turn });
      flight.hushed = steering.hush === true;
    } catch (error) {
      // Its end was told before it ended, so it would have been heard: it was terminated. Of a child of this run the result says so.
      if (flight.adopted) this.#end(flight, lost(flight.node, `its workflow is gone: ${stepFailure(error).message}`));
    }
    return JSON.stringify(steering);
  }

  #beginsToFail({ node, failing }: Flight): boolean {
    const progress = this.migration.flying.get(node.instanceId);
    return progress !== undefined && PROVING.includes(progress.step) && progress.blockers.some(({ firm }) => firm) && !failing;
  }

  #steering({ node, adopted }: Flight): Steering {
    const { control } = this.migration;
    const skipped = control.skipped.some((skip) => skip.instanceId === node.instanceId || skip.name === node.name);
    const { paused, handBack, drain } = this.events.orders();
    return {
      paused: paused || this.#held,
      handBack: handBack ?? (skipped ? SKIPPED : this.#comeDown),
      retries: control.retries[node.instanceId] ?? 0,
      drain,
      forced: control.forced[node.instanceId] ?? [],
      outlives: adopted || this.#continues,
      hush: this.#continues,
    };
  }

  /** What steerings are made of: the same object until something of it changes. Asked for of every node with every event. */
  #steeringSources(): unknown[] {
    const sources = [this.migration.control, this.#held, this.#comeDown, this.#continues];
    if (sources.some((source, index) => source !== this.#sources[index])) this.#sources = sources;
    return this.#sources;
  }

  #heardEnd(result: NodeResult): void {
    const flight = this.#flights.get(result.node.instanceId);
    if (flight !== undefined) this.#end(flight, result);
  }

  /** Heard twice of a node that outlives its run and ends before that: the first counts. */
  #end(flight: Flight, result: NodeResult): void {
    if (flight.ended) return;
    flight.ended = true;
    this.migration.heardNews();
    this.events.ended(result, flight.failing);
    this.#drop(flight);
  }

  #drop(flight: Flight): void {
    flight.ended = true;
    this.#flights.delete(flight.node.instanceId);
    this.migration.flying.delete(flight.node.instanceId);
    this.#tellControl();
  }

  #tellControl(): void {
    const flying = [...this.#flights.values()].map(({ node }) => ({ name: node.name, instanceId: node.instanceId }));
    this.migration.control = landed(this.migration.control, flying);
  }
}

function begun(node: NodeRef): NodeProgress {
  return { node, step: 'prepare', since: now(), blockers: [], paused: false };
}

function lost(node: NodeRef, why: string): NodeResult {
  return { node, outcome: 'unproven', why, startedAt: now(), endedAt: now(), seconds: {}, evictedPods: 0 };
}
