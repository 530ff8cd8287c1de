import type { ContinueAsNewOptions } from '@temporalio/workflow';
import { patched, setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { SNAPSHOT_MEMO } from '../../domain/names.js';
import { newsOf, snapshotOf } from '../../domain/snapshot.js';
import type { MigrationStatus } from '../../domain/status.js';
import { now } from '../clock.js';
import { migrationDetails } from '../dashboard.js';
import { searchAttributesOf } from './visibility.js';

/** The counts among the search attributes follow this slowly, and so does the snapshot: each is an event. */
const FOLLOW_MS = 10_000;

export interface Displayed {
  status(): MigrationStatus;
  /** Whether Temporal knows our search attributes. */
  searchAttributes(): boolean;
}

/** What Temporal shows of a run without asking it: its details, the search attributes of its lists, and its snapshot. */
export class Display {
  #words = '';
  #counts = '';
  /** When attributes were written last. */
  #at = 0;
  #stale = false;
  /** What was new when the last snapshot was left, and when that was. */
  readonly #last = { news: '', at: 0 };
  /** Runs that were begun before this leave none. */
  readonly #leaves = patched('leaves-snapshot');

  constructor(private readonly of: Displayed) {}

  /** All follow the state. */
  show(): void {
    this.#showDetails();
    const status = this.of.status();
    this.#leaveSnapshot(status);
    if (!this.of.searchAttributes()) return;
    const { words, counts } = searchAttributesOf(status);
    const seen = { words: JSON.stringify(words), counts: JSON.stringify(counts), at: Date.now() };
    const soon = status.inFlight.length > 0 && seen.at - this.#at < FOLLOW_MS;
    if (seen.words === this.#words && (seen.counts === this.#counts || soon)) return;
    [this.#words, this.#counts, this.#at] = [seen.words, seen.counts, seen.at];
    upsertSearchAttributes([...words, ...counts]);
  }

  /** Once for all that changes in a row: with a hundred nodes in flight they are some hundred lines. */
  #showDetails(): void {
    if (this.#stale) return;
    this.#stale = true;
    void Promise.resolve().then(() => {
      this.#stale = false;
      setCurrentDetails(migrationDetails(this.of.status()));
    });
  }

  /** The run is about to continue as new: who looks now need not ask it. */
  continues(): void {
    if (this.#leaves) upsertMemo({ [SNAPSHOT_MEMO]: { ...snapshotOf(this.of.status(), now()), continuesAsNew: true } });
  }

  /** What the next run begins with. */
  get next(): ContinueAsNewOptions {
    return this.#leaves ? { memo: { [SNAPSHOT_MEMO]: snapshotOf(this.of.status(), now()) } } : {};
  }

  /** For who asks while the worker is busy, or gone. */
  #leaveSnapshot(status: MigrationStatus): void {
    if (!this.#leaves) return;
    const [news, at] = [newsOf(status), Date.now()];
    if (news === this.#last.news && at - this.#last.at < FOLLOW_MS) return;
    Object.assign(this.#last, { news, at });
    upsertMemo({ [SNAPSHOT_MEMO]: snapshotOf(status, now()) });
  }
}
