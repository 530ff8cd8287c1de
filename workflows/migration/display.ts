import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { MigrationStatus } from '../../domain/status.js';
import { migrationDetails } from '../dashboard.js';
import { searchAttributesOf } from './visibility.js';

/** The counts among the search attributes follow this slowly: each upsert is an event. */
const COUNTS_MS = 10_000;

export interface Displayed {
  status(): MigrationStatus;
  /** Whether Temporal knows our search attributes. */
  searchAttributes(): boolean;
}

/** What Temporal's UI shows of a run: its details, and the search attributes of its lists. */
export class Display {
  #words = '';
  #counts = '';
  /** When attributes were written last. */
  #at = 0;
  #stale = false;

  constructor(private readonly of: Displayed) {}

  /** Both follow the state. */
  show(): void {
    this.#showDetails();
    if (!this.of.searchAttributes()) return;
    const status = this.of.status();
    const { words, counts } = searchAttributesOf(status);
    const now = { words: JSON.stringify(words), counts: JSON.stringify(counts), at: Date.now() };
    const soon = status.inFlight.length > 0 && now.at - this.#at < COUNTS_MS;
    if (now.words === this.#words && (now.counts === this.#counts || soon)) return;
    [this.#words, this.#counts, this.#at] = [now.words, now.counts, now.at];
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
}
