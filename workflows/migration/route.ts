import type { Toward } from '../../domain/directions/index.js';
import type { Strategy } from '../../domain/spec/words.js';
import type { Phase } from '../../domain/status.js';
import type { RunEnd } from './endings.js';
import type { Migration } from './migration.js';

/** One phase: does its work, and says in a line what it did. Each may be repeated from its start at any time. */
export type PhaseWork = (migration: Migration) => Promise<string | undefined>;

/** The way that a run goes: its phases in order, and what is its own beside the engine. A new way is a new file. */
export interface Route {
  toward: Toward;
  /** Of a way back: Cilium is chained, so the nodes that it leaves run aws-node too. */
  chained?: boolean;
  phases: readonly [Phase, PhaseWork][];
  /** Phases in which a new node may have no CNI: nothing waits for a person there; what needs one fails the run instead. */
  unattended: readonly Phase[];
  /** The ways of other strategies than `replace`, where there are any. */
  strategies?: Partial<Record<Strategy, Route>>;
  /** What a run that is over takes back of itself, beside the guards; what it says goes into the report. */
  takeBack(migration: Migration, end: RunEnd): Promise<string | undefined>;
}
