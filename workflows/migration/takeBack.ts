import { condition, patched } from '@temporalio/workflow';
import type { Admitted } from '../../activities/api.js';
import { beginTakingBack } from '../../domain/control.js';
import type { NodeResult } from '../../domain/refresh.js';
import { postponedIds } from '../../domain/results.js';
import { acts } from '../activityProxies.js';
import { answerUnless } from '../until.js';
import { Flights, SKIPPED } from './flights.js';
import type { Migration } from './migration.js';

/** So many in a row that would not go end it. */
const FAILURES = 3;

/**
 * The end of a run in the middle of a surge: the extra nodes are drained and terminated with decrement, until every group has its
 * size of before. Bounded, since the run has ended already: what does not go is left, and the giving back names it.
 */
export async function takeBack(migration: Migration): Promise<void> {
  await new TakingBack(migration).run();
}

class TakingBack {
  readonly #flights: Flights;
  readonly #taken: string[] = [];
  /** Instances that would not go, or that an operator wants to keep. */
  readonly #left: string[] = [];
  #failures = 0;
  /** When something last began or ended. */
  #since = Date.now();
  /** Goes up with every end: what was asked before is stale. */
  #turn = 0;

  constructor(readonly migration: Migration) {
    // A pause was for the run that has ended; a drain that takes too long is left, whatever the policy was.
    const drain = () => ({ ...migration.control.settings.drain, onTimeout: 'skip-to-end' as const });
    this.#flights = new Flights(migration, {
      ended: (result) => this.#ended(result),
      failing: () => undefined,
      orders: () => ({ paused: false, handBack: this.#calledOff, drain: drain() }),
    });
  }

  async run(): Promise<void> {
    try {
      await this.#shrink();
    } finally {
      await this.#flights.recall('the run ends');
      if (this.#taken.length > 0) this.migration.note('notes', [`extra nodes that were drained and taken back: ${this.#taken.join(', ')}`]);
    }
  }

  async #shrink(): Promise<void> {
    const { migration } = this;
    const { target } = migration;
    for (;;) {
      const why = this.#over();
      if (why !== null) return migration.note('notes', [`extra nodes of a surge, if any are left, stay: ${why}`]);
      const seen = await this.#ask();
      if (seen === undefined) continue;
      if (seen.remaining === 0 && this.#flights.size === 0) break;
      let stale: (() => boolean) | undefined;
      if (!migration.control.takingBack) {
        migration.control = beginTakingBack(migration.control);
        // Who speaks while the guards are taken is heard, but for runs that were begun before this.
        if (patched('heard-beside-guards')) stale = this.#stale();
        await acts.holdGuards({ target, set: 'changing' });
      }
      for (const { node, decrement, surplus } of seen.start) this.#flights.start(node, { decrement, surplus, terse: false });
      if (seen.start.length > 0) this.#since = Date.now();
      await this.#room(seen, stale ?? this.#stale());
    }
    if (this.#taken.length > 0) migration.note('notes', (await acts.evenZones({ target, tried: null })).notes);
  }

  async #ask(): Promise<Admitted | undefined> {
    const { migration } = this;
    const ask = (known: string) => acts.admitSurplus({ target: migration.target, refresh: migration.refresh, exclude: this.#exclude, flights: this.#flights.all(), known });
    const answer = await answerUnless(this.#stale(), () => migration.watch(ask), { atMost: this.#patience });
    migration.forgetBlockers();
    if (answer !== undefined) migration.book.counts = answer.counts;
    migration.show();
    return answer;
  }

  /** While no more may go at a time, or none is left that could, nobody is asked. */
  async #room({ remaining, start, most }: Admitted, stale: () => boolean): Promise<void> {
    const full = () => remaining === start.length || this.#flights.size >= most;
    await condition(() => !full() || stale(), this.#patience);
  }

  /** Whether a node has ended, or an operator has spoken, from now on. */
  #stale(): () => boolean {
    const turn = this.#turn;
    const { version } = this.migration.control;
    return () => this.#turn !== turn || this.migration.control.version !== version;
  }

  /** Why what is left is left; null: go on. */
  #over(): string | null {
    if (this.#calledOff !== null) return this.#calledOff;
    if (this.#failures >= FAILURES) return `${FAILURES} of them in a row would not go`;
    return this.#patience > 0 ? null : 'nothing moved any more';
  }

  get #calledOff(): string | null {
    const said = this.migration.control.takingBack?.calledOff;
    return said ? `${said.by} called it off: ${said.reason}` : null;
  }

  get #exclude(): string[] {
    const { control, book } = this.migration;
    return [...control.skipped.flatMap(({ name, instanceId }) => [name, instanceId]), ...postponedIds(book.results, 2), ...this.#left];
  }

  /** Milliseconds that are left for something to happen; the limit of a drain is over first. */
  get #patience(): number {
    return Math.max(0, this.#since + 2_000 * this.migration.control.settings.drain.timeLimitSeconds - Date.now());
  }

  #ended({ node, outcome, why }: NodeResult): void {
    this.#turn += 1;
    this.#since = Date.now();
    // An instance that became a Node meanwhile comes again as that.
    if (outcome === 'gone') return;
    if (outcome === 'refreshed' || outcome === 'unproven') this.#taken.push(node.name);
    if (outcome === 'refreshed') return void (this.#failures = 0);
    if (why !== SKIPPED) this.#failures += 1;
    this.#left.push(node.instanceId);
    this.migration.note('notes', [`extra Node ${node.name}: ${outcome === 'unproven' ? '' : 'left where it is: '}${why ?? outcome}`]);
  }
}
