import { allHandlersFinished, CancellationScope, condition, ContinueAsNew, continueAsNew, patched, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { acceptFleet, pausedItself, pauseFleetItself, resumeFleetItself, setGate } from '../../domain/fleet/control.js';
import type { FleetControl } from '../../domain/fleet/control.js';
import { sha256Hex } from '../../domain/digest.js';
import { isFailing, watched } from '../../domain/fleet/members.js';
import type { ClusterSeen, Member } from '../../domain/fleet/members.js';
import { nextMove } from '../../domain/fleet/schedule.js';
import type { NextMove } from '../../domain/fleet/schedule.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { ringOutcome } from '../../domain/fleet/summary.js';
import type { RunState } from '../../domain/status.js';
import { now } from '../clock.js';
import { stepFailure } from '../failure.js';
import { Interrupted, Interruptible } from '../interruptible.js';
import { failing, fleetState, fleetStatus, newFleetBook } from './book.js';
import type { FleetBook, FleetPlan } from './book.js';
import { startCluster, tell } from './clusters.js';
import { fleetActs, lookFleet } from './proxies.js';
import { fleetAttributes, fleetDetails } from './visibility.js';

/** How a fleet ends before its course is run. */
export class FleetEnd extends Error {
  override readonly name = 'FleetEnd';
  constructor(
    readonly outcome: Extract<RunState, 'failed' | 'aborted'>,
    readonly why: string,
  ) {
    super(why);
  }
}

/** One run of a fleet: the book, and the loop that does what domain/fleet/ decides. Handlers change `control` only. */
export class Fleet {
  readonly book: FleetBook;
  readonly #interruptible = new Interruptible();
  /** What the last look told, by name; asked anew after continue-as-new. */
  #known: Record<string, string> = {};
  #shown = '';
  /** Goes up when a child ends: what was looked at before is stale. */
  #ends = 0;

  constructor(checkpoint: FleetBook | undefined) {
    this.book = checkpoint ?? newFleetBook(workflowInfo().workflowId.replace(/^cilium-fleet\//, ''), now());
  }

  get plan(): FleetPlan {
    if (this.book.plan === null) throw new FleetEnd('failed', 'the fleet was not read');
    return this.book.plan;
  }

  get control(): FleetControl {
    return this.book.control;
  }

  set control(control: FleetControl) {
    this.book.control = control;
    if (control.abort && !this.book.outcome) this.#interruptible.interrupt();
    this.show();
  }

  get state(): RunState {
    return fleetState(this.book);
  }

  status(): FleetStatus {
    const { workflowId, runId } = workflowInfo();
    return fleetStatus(this.book, { workflowId, runId });
  }

  /** Names that are more than the failure budget allows; none while it suffices. */
  get overBudget(): string[] {
    const names = failing(this.book);
    return names.length > (this.book.plan?.failureBudget ?? 0) ? names : [];
  }

  cancelled(): void {
    if (this.control.abort) return;
    this.control = acceptFleet(this.control, { verb: 'abort', by: 'Temporal', reason: 'cancellation requested' }, { at: now(), failing: [] });
  }

  /** Runs a step that an abort ends. A failure that needs a person pauses the fleet; `resume` tries again. */
  async step<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#throwIfAborted();
      try {
        return await this.#interruptible.run(act);
      } catch (error) {
        if (error instanceof Interrupted) continue;
        const { kind, message } = stepFailure(error);
        if (kind !== 'NeedsHuman') throw error;
        await this.#ask(message);
      }
    }
  }

  needsHuman(problem: string): never {
    throw ApplicationFailure.create({ type: 'NeedsHuman', message: problem, nonRetryable: true });
  }

  fail(problem: string): never {
    throw new FleetEnd('failed', problem);
  }

  /** Everything after it is known which clusters there are. */
  async course(): Promise<void> {
    if (this.book.members.length === 0) this.fail(`expected at least one cluster, saw none. ${this.book.notes.join('; ')}`);
    for (;;) {
      await this.#askWindow();
      this.#judge();
      const move = nextMove({ ...this.plan, members: this.book.members, approved: this.control.approved });
      this.#openGate(move);
      const before = this.#moment;
      await this.#steer();
      if (this.#hasEnded(move)) return;
      if (move.start.length > 0 && this.#mayStart()) {
        await this.#start(move.start);
        continue;
      }
      if (workflowInfo().continueAsNewSuggested) await this.#continueAsNew();
      // Who spoke while clusters were told something is heard now, but for fleets that were begun before this.
      await this.#wait(patched('heard-beside-steering') ? before : this.#moment);
    }
  }

  /** Nothing was said, and no cluster has ended, as long as it is this. */
  get #moment(): { version: number; ends: number } {
    return { version: this.control.version, ends: this.#ends };
  }

  /** The UI's details and the search attributes follow the state; each upsert is an event, so only on change. */
  show(): void {
    const status = this.status();
    setCurrentDetails(fleetDetails(status));
    if (!this.book.searchAttributes) return;
    const attributes = fleetAttributes(status);
    const text = JSON.stringify(attributes.map(({ value }) => value));
    if (text === this.#shown) return;
    this.#shown = text;
    upsertSearchAttributes(attributes);
  }

  #throwIfAborted(): void {
    const { abort } = this.control;
    if (abort) throw new FleetEnd('aborted', `aborted by ${abort.by}: ${abort.reason}`);
  }

  /** Pauses until a person resumes. */
  async #ask(problem: string): Promise<void> {
    this.book.problem = problem;
    this.control = pauseFleetItself(this.control, problem, now());
    await condition(() => this.control.paused === null || this.control.abort !== null);
    this.book.problem = null;
  }

  async #askWindow(): Promise<void> {
    const { windows } = this.plan;
    const until = this.book.window?.until;
    if (windows.length === 0 || this.control.abort || (this.book.window && (until == null || Date.parse(until) > Date.now()))) return;
    this.book.window = await fleetActs.fleetWindow({ windows, at: now() });
    this.show();
  }

  /** The failure budget: past it the fleet pauses itself; when those that were blocked go on again, so does the fleet. */
  #judge(): void {
    const { failureBudget } = this.plan;
    const over = this.overBudget;
    // Who failed, was seen and has recovered may not fail a second time for nothing.
    const forgiven = this.control.forgiven.filter((name) => this.book.members.some((member) => member.name === name && isFailing(member)));
    if (forgiven.length !== this.control.forgiven.length) this.control = { ...this.control, forgiven };
    if (over.length > 0) this.control = pauseFleetItself(this.control, `${over.length} clusters failed or are blocked, ${failureBudget} may: ${over.slice(0, 10).join(', ')}`, now());
    else if (pausedItself(this.control)) this.control = resumeFleetItself(this.control, 'no more clusters fail than may', now());
  }

  #openGate({ gate, ring }: NextMove): void {
    if (gate === null || this.control.abort) {
      this.control = setGate(this.control, null);
      return;
    }
    const shows = ringOutcome(this.book.members, ring);
    this.control = setGate(this.control, { ring: gate, digest: sha256Hex(JSON.stringify([gate, shows])), shows: shortened(shows), since: now() });
  }

  /** Why clusters should stand still; null: they should not. A pause of the fleet's own leaves those under way alone. */
  get #hold(): string | null {
    const { window, control } = this.book;
    if (window && !window.open) return `outside the maintenance windows until ${window.until ?? 'further notice'}`;
    return control.paused && !pausedItself(control) ? `fleet paused by ${control.paused.by}: ${control.paused.reason}` : null;
  }

  #mayStart(): boolean {
    return this.control.paused === null && this.control.abort === null && this.#hold === null;
  }

  /** Passes on what holds for every cluster; each word once. */
  async #steer(): Promise<void> {
    const { abort } = this.control;
    const hold = this.#hold;
    const by = `fleet ${this.book.fleet}`;
    const open = this.book.members.filter(({ stage }) => stage === 'open');
    if (abort) for (const member of this.book.members) if (member.stage === 'waiting') member.stage = 'left';
    await Promise.all(
      open.map(async (member) => {
        if (abort && !member.recalled) {
          member.recalled = true;
          await tell(member, 'abort', { by: abort.by, reason: `${by}: ${abort.reason}` });
        } else if (hold !== null && !member.held) {
          member.held = true;
          await tell(member, 'hold', { by, reason: hold });
        } else if (hold === null && member.held) {
          delete member.held;
          await tell(member, 'unhold', { by, reason: 'the fleet goes on' });
        }
      }),
    );
  }

  #hasEnded({ finished }: NextMove): boolean {
    return finished || (this.control.abort !== null && this.book.members.every(({ stage }) => stage === 'ended' || stage === 'left'));
  }

  async #start(names: string[]): Promise<void> {
    const context = { fleet: this.book.fleet, shared: this.plan.shared, searchAttributes: this.book.searchAttributes, ended: () => void (this.#ends += 1) };
    await Promise.all(
      this.book.members
        .filter(({ name }) => names.includes(name))
        .map(async (member) => {
          const how = await startCluster(member, context);
          member.stage = 'open';
          if (how === 'adopted') this.#adopt(member);
        }),
    );
    this.show();
  }

  #adopt(member: Member): void {
    member.adopted = true;
    this.book.notes.push(`${member.name} was being migrated already: taken in with the manifest that it was started with`);
  }

  /** Until a cluster, an operator or the clock has something to say. */
  async #wait({ version, ends }: { version: number; ends: number }): Promise<void> {
    const until = this.book.window?.until;
    const scope = new CancellationScope();
    let over = false;
    const looking = scope.run(() => this.#look()).finally(() => (over = true));
    // Its failure is taken below; a scope that is cancelled rejects, too.
    const ended = looking.then(
      () => null,
      (error: unknown) => error,
    );
    const stale = () => over || this.control.version !== version || this.#ends !== ends;
    if (until == null) await condition(stale);
    else await condition(stale, Math.max(1, Date.parse(until) - Date.now()));
    if (!over) scope.cancel();
    const error = await ended;
    if (error !== null && !scope.consideredCancelled) await this.#ask(`cannot look at the clusters: ${stepFailure(error).message}`);
  }

  async #look(): Promise<void> {
    const clusters = watched(this.book.members).map(({ name, seen }) => ({ name, ...(seen?.unanswered === undefined ? {} : { unanswered: seen.unanswered }) }));
    // Nothing is under way: only a person or the clock can change that.
    if (clusters.length === 0) return void (await condition(() => false));
    const { changed, known } = await lookFleet({ clusters, known: this.#known });
    this.#known = known;
    for (const cluster of changed) this.#heard(cluster);
    this.show();
  }

  #heard({ name, open, seen }: { name: string; open: boolean; seen: ClusterSeen }): void {
    const member = this.book.members.find((candidate) => candidate.name === name);
    if (member === undefined) return;
    // A person started it again.
    if (open && member.stage === 'ended') this.#adopt(member);
    member.seen = seen;
    member.stage = open ? 'open' : 'ended';
    if (open) return;
    delete member.held;
    delete member.recalled;
    if (seen.state === 'done') member.spec = {};
  }

  async #continueAsNew(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew(null, this.book);
  }
}

export function isContinueAsNew(error: unknown): boolean {
  return error instanceof ContinueAsNew;
}

/** A ring of hundreds: the digest covers all of them. */
function shortened(lines: string[]): string[] {
  return lines.length <= 50 ? lines : [...lines.slice(0, 50), `and ${lines.length - 50} more`];
}
