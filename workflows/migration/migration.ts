import { allHandlersFinished, CancellationScope, condition, ContinueAsNew, makeContinueAsNewFunc, sleep, workflowInfo } from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';
import type { Target } from '../../activities/api.js';
import { directionOf } from '../../domain/directions/index.js';
import type { Direction } from '../../domain/directions/index.js';
import { accept, openGate, pauseItself, pauseOf, resumeItself } from '../../domain/control.js';
import type { Command, Control } from '../../domain/control.js';
import type { NodeProgress, NodeResult } from '../../domain/refresh.js';
import { approvalsOf } from '../../domain/spec/words.js';
import type { Manifest, RefreshSpec } from '../../domain/spec/schema.js';
import type { Gate } from '../../domain/spec/words.js';
import type { MigrationStatus, Phase } from '../../domain/status.js';
import { acts } from '../activityProxies.js';
import { now } from '../clock.js';
import { stepFailure } from '../failure.js';
import { Interrupted, Interruptible } from '../interruptible.js';
import { until } from '../until.js';
import type { Look } from '../../activities/api.js';
import type { Blocker } from '../../domain/refresh.js';
import { newBook, stateOf, statusOf } from './book.js';
import type { Book, CarriedFlight, RunIds } from './book.js';
import { Display } from './display.js';
import { RunEnd } from './endings.js';
import type { Route } from './route.js';

/** How often the Lease says that we are still there. Its expiry hands nothing over: it is for people who look. */
const RENEW = '20m';

/** A run that is about to continue as new waits until no node was heard for so long, at most so often. */
const LULL_MS = 500;
const LULLS = 20;

/** Lines of a list for the report; the rest is counted. */
const MOST_LINES = 200;

/** What the nodes in flight are to the run as a whole (flights.ts). */
export interface NodesInFlight {
  ended(result: NodeResult): void;
  /** Before the run continues as new; returns when each of them knows. */
  carry(): Promise<void>;
  carried(): CarriedFlight[];
}

/**
 * One run of a migration, as its phases see it: the book, steps that an abort ends, gates, pauses. Handlers change
 * `control`; only the main loop acts on it.
 */
export class Migration {
  readonly book: Book;
  readonly flying: Map<string, NodeProgress>;
  readonly #interruptible = new Interruptible();
  readonly #endedEarly: NodeResult[] = [];
  #pool: NodesInFlight | null = null;
  #blockers: Blocker[] = [];
  /** The moment of the workflow task that brought the newest news of a node. */
  #newsAt = 0;
  readonly #display = new Display({ status: () => this.status(), searchAttributes: () => this.book.facts?.searchAttributes === true });

  readonly #route: Route;

  constructor(
    route: Route,
    readonly input: unknown,
    checkpoint: Book | undefined,
  ) {
    this.#route = route;
    this.book = checkpoint ?? newBook(now(), route.toward);
    this.flying = new Map(this.book.flights.map(({ progress }) => [progress.node.instanceId, progress]));
  }

  /** Known in full once the manifest is read; all ways begin with the same phase. */
  get route(): Route {
    return this.#route.strategies?.[this.book.manifest?.spec.strategy ?? 'replace'] ?? this.#route;
  }

  get ids(): RunIds {
    const { workflowId, runId, firstExecutionRunId } = workflowInfo();
    return { workflowId, runId, firstRunId: firstExecutionRunId };
  }

  /** Who the nodes in flight belong to; ends that were heard before it was there come first. */
  set pool(pool: NodesInFlight) {
    this.#pool = pool;
    for (const result of this.#endedEarly.splice(0)) pool.ended(result);
  }

  /** Something of a node in flight has come with this workflow task. */
  heardNews(): void {
    this.#newsAt = Date.now();
  }

  nodeEnded(result: NodeResult): void {
    this.heardNews();
    if (this.#pool === null) this.#endedEarly.push(result);
    else this.#pool.ended(result);
  }

  /** What the next run begins with. */
  checkpoint(): Book {
    return { ...this.book, flights: this.#pool?.carried() ?? this.book.flights };
  }

  get manifest(): Manifest {
    if (!this.book.manifest) throw new RunEnd('failed', 'the manifest was not read');
    return this.book.manifest;
  }

  get target(): Target {
    const { metadata, spec } = this.manifest;
    const { toward, chained = false } = this.route;
    return { migration: metadata.name, cluster: spec.cluster, holder: this.book.facts?.holder ?? '', ...(toward === 'cilium' ? {} : { toward }), ...(chained ? { chained } : {}) };
  }

  get direction(): Direction {
    return directionOf(this.route);
  }

  /** Nobody may be waited for: new nodes may have no CNI. */
  get #unattended(): boolean {
    return this.route.unattended.includes(this.book.phase);
  }

  /** A phase that comes right after one in which nobody may be waited for, and is such a one itself. */
  followsUnattended(phase: Phase): boolean {
    const { unattended } = this.route;
    return unattended.indexOf(phase) > 0;
  }

  get plan(): NonNullable<Book['plan']> {
    if (!this.book.plan) throw new RunEnd('failed', 'there is no plan');
    return this.book.plan;
  }

  get control(): Control {
    return this.book.control;
  }

  /** Handlers and the main loop change intent here, and only here. */
  set control(control: Control) {
    this.book.control = control;
    if (control.abort && !this.book.outcome) this.#interruptible.interrupt();
    this.show();
  }

  cancelled(): void {
    if (this.control.abort) return;
    const command: Command = { verb: 'abort', by: 'Temporal', reason: 'cancellation requested' };
    this.control = accept(this.control, command, now());
  }

  enter(phase: Phase): void {
    this.book.phase = phase;
    if (this.book.phases.at(-1)?.phase !== phase) this.book.phases.push({ phase, startedAt: now() });
    this.show();
  }

  leave(note: string | undefined): void {
    const record = this.book.phases.at(-1);
    if (record) Object.assign(record, { endedAt: now(), ...(note ? { note } : {}) });
    this.show();
  }

  /** Adds a line for the report once, however often its step is repeated. */
  note(list: 'proofs' | 'notes', lines: string[]): void {
    const known = this.book[list];
    for (const line of lines) {
      if (known.includes(line)) continue;
      if (known.length < MOST_LINES) known.push(line);
      else if (known.length === MOST_LINES) known.push('… and more: see what was filed of each node, and the workflows of the nodes');
    }
  }

  /** Runs a step that an abort ends. A failure that needs a person pauses the run; `resume` tries again. */
  async step<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      this.throwIfAborted();
      try {
        return await this.#interruptible.run(act);
      } catch (error) {
        if (error instanceof Interrupted) {
          if (CancellationScope.current().consideredCancelled) throw error;
          continue;
        }
        const failure = stepFailure(error);
        if (failure.kind !== 'NeedsHuman' || this.#unattended) throw error;
        await this.#ask(failure.message);
      }
    }
  }

  /** Pauses on the run's own account; goes on when a person resumed. */
  async #ask(problem: string): Promise<void> {
    this.pauseItself(problem);
    await this.safePoint();
    this.book.problem = null;
  }

  /** A step that waits: shows what it waits for. */
  look<T extends Look>(act: (known: string) => Promise<T>): Promise<T> {
    return this.step(() => this.watch(act));
  }

  /** The same for the clean-up: no step, so no abort ends it. */
  watch<T extends Look>(act: (known: string) => Promise<T>): Promise<T> {
    return until(act, (blockers) => {
      this.#blockers = blockers;
      this.show();
    });
  }

  /** A look with a limit: past it the run fails where nobody may be waited for, and asks a person everywhere else. */
  async lookWithin<T extends Look>(limit: Duration, act: (known: string) => Promise<T>): Promise<T> {
    for (;;) {
      const scope = new CancellationScope({ cancellable: true, timeout: limit });
      try {
        return await scope.run(() => this.look(act));
      } catch (error) {
        if (!(error instanceof Interrupted) || !scope.consideredCancelled) throw error;
        const seen = this.#blockers.map((blocker) => `${blocker.object}: ${blocker.reason}. ${blocker.todo}`).join('; ');
        const problem = `${this.book.phase}: not there within ${limit}: ${seen || 'no answer'}`;
        this.#blockers = [];
        if (this.#unattended) throw new RunEnd('failed', problem);
        await this.#ask(problem);
      }
    }
  }

  /** What a look that was given up waited for is no news any more. */
  forgetBlockers(): void {
    this.#blockers = [];
    this.show();
  }

  /** The refresh as the spec asks for it, with what operators set since. */
  get refresh(): RefreshSpec {
    const { maxSurge, maxUnavailable, failuresInARow } = this.control.settings;
    return { ...this.manifest.spec.refresh, maxSurge, maxUnavailable, failuresInARow };
  }

  /** Pauses on the run's own account, and says why until a person resumes. */
  pauseItself(problem: string): void {
    this.book.problem = problem;
    this.control = pauseItself(this.control, problem, now());
  }

  wantsContinueAsNew(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  /** The reason of a pause of its own is gone. */
  resumeItself(why: string): void {
    this.control = resumeItself(this.control, why, now());
    if (!this.control.paused) this.book.problem = null;
  }

  /** Leaves the cluster alone for so many seconds, which may be set meanwhile. */
  async soak(setting: 'soakSeconds' | 'canarySoakSeconds'): Promise<void> {
    const since = Date.now();
    const left = () => since + this.control.settings[setting] * 1000 - Date.now();
    while (left() > 0) {
      const seconds = this.control.settings[setting];
      await this.standStill(() => this.control.settings[setting] !== seconds, left());
    }
    await this.safePoint();
  }

  throwIfAborted(): void {
    const { abort } = this.control;
    if (abort) throw new RunEnd('aborted', `aborted by ${abort.by}: ${abort.reason}`);
  }

  /** Between two changes: here a pause takes effect, and a long history continues as new. */
  async safePoint(): Promise<void> {
    this.throwIfAborted();
    if (pauseOf(this.control)) await this.standStill(() => pauseOf(this.control) === null);
    if (workflowInfo().continueAsNewSuggested) await this.#continueAsNew();
  }

  /**
   * Opens a gate where the spec asks for it, and waits. What it decides on is looked at again after the approval: if that
   * changed meanwhile, the gate opens again with what is true now.
   */
  async gate(gate: Gate, evidence: () => Promise<{ digest: string; shows: string[] }>): Promise<void> {
    if (!approvalsOf(this.manifest.spec).includes(gate)) return;
    for (;;) {
      const { digest, shows } = await evidence();
      this.control = openGate(this.control, { gate, digest, shows, since: now() });
      if (!this.control.gate) break;
      await this.standStill(() => this.control.gate === null);
    }
    await this.safePoint();
  }

  /** Waits for people or for time, with nothing held that fights the cluster's own life. */
  async standStill(done: () => boolean, atMost?: number): Promise<void> {
    const held = this.book.holdsChanging;
    if (held) await this.letBreathe();
    const deadline = atMost === undefined ? Infinity : Date.now() + atMost;
    const over = () => done() || this.control.abort !== null;
    while (!over() && Date.now() < deadline) {
      const rest = deadline - Date.now();
      if (await condition(over, rest === Infinity ? RENEW : Math.min(rest, 20 * 60_000))) break;
      if (this.book.taken) await this.step(() => acts.renewLease({ target: this.target }));
      if (workflowInfo().continueAsNewSuggested && atMost === undefined && this.flying.size === 0) await this.#continueAsNew();
    }
    this.throwIfAborted();
    if (held) await this.holdChanging();
  }

  get holdsChanging(): boolean {
    return this.book.holdsChanging;
  }

  /** Takes the guards that are held only while nodes are being changed. */
  async holdChanging(): Promise<void> {
    this.book.holdsChanging = true;
    await this.step(() => acts.holdGuards({ target: this.target, set: 'changing' }));
  }

  async letBreathe(): Promise<void> {
    this.book.holdsChanging = false;
    await this.giveBack('changing');
  }

  /**
   * Gives borrowed guards back and notes what was not to be had back; returns how many were. No step of its own: what an abort
   * ends is the work, never the giving back.
   */
  async giveBack(set: 'whole' | 'changing'): Promise<number> {
    const { given, left, missed } = await acts.giveBackGuards({ target: this.target, set });
    this.note('notes', [...left, ...missed]);
    return given.length;
  }

  /** After every change of what queries tell. */
  show(): void {
    this.#display.show();
  }

  /** What queries, details and search attributes tell. */
  status(): MigrationStatus {
    const status = statusOf(this.book, this.ids, [...this.flying.values()]);
    const own = this.#blockers.filter(({ firm }) => firm).map((blocker) => `${blocker.object}: ${blocker.reason}. ${blocker.todo}`);
    return { ...status, awaits: [...takingBack(this.control, status.migration), ...this.#blockers], blocked: [...own, ...status.blocked] };
  }

  get state(): ReturnType<typeof stateOf> {
    return stateOf(this.book);
  }

  async #continueAsNew(): Promise<never> {
    this.#display.continues();
    await this.#pool?.carry();
    // With nodes in flight the guards stay: the next run goes on with them at once.
    if (this.book.holdsChanging && this.flying.size === 0) await this.letBreathe();
    await condition(allHandlersFinished);
    await this.#lull();
    return makeContinueAsNewFunc(this.#display.next)(this.input, this.checkpoint());
  }

  /**
   * The server refuses to continue as new past what came meanwhile, and the task is made again, replayed from the first event: that
   * takes so long that more has come by then, and so on for half a minute with a hundred nodes in flight. They have been hushed; what was
   * under way comes first. Not for ever: to be refused costs time, and nothing else.
   */
  async #lull(): Promise<void> {
    for (let tries = 0; tries < LULLS && Date.now() - this.#newsAt < LULL_MS; tries++) await sleep(LULL_MS);
  }
}

/** What a run that ends waits for, while it takes back its extra nodes. */
function takingBack({ takingBack: now }: Control, name: string): Blocker[] {
  if (!now) return [];
  const reason = now.calledOff ? 'nodes in flight come to rest; the extra nodes that are left stay' : 'the extra nodes are drained, within their budgets, and taken back';
  return [{ object: 'Surge', reason, todo: now.calledOff ? '' : `Those that cannot be drained are left and named. To leave them now: ciliate abort ${name} --reason TEXT` }];
}

export function isContinueAsNew(error: unknown): boolean {
  return error instanceof ContinueAsNew;
}
