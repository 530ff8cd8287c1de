import type { FleetControl } from '../../domain/fleet/control.js';
import { initialFleetControl } from '../../domain/fleet/control.js';
import type { Member } from '../../domain/fleet/members.js';
import type { OpenSelection } from '../../domain/fleet/roster.js';
import { failures } from '../../domain/fleet/schedule.js';
import type { Ring } from '../../domain/fleet/schedule.js';
import type { SpecPart, Window } from '../../domain/fleet/schema.js';
import { LINES } from '../../domain/fleet/status.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { clusterLines, ringCounts } from '../../domain/fleet/summary.js';
import type { WindowState } from '../../domain/fleet/windows.js';
import type { RunState } from '../../domain/status.js';
import { CILIATE_VERSION } from '../../domain/version.js';

/** What a fleet was started with, less its clusters. */
export interface FleetPlan {
  shared: SpecPart;
  rings: Ring[];
  failureBudget: number;
  clusterIds: { from: number; to: number } | null;
  windows: Window[];
}

/** All that a fleet remembers; carried through continue-as-new. Fields are only ever added. */
export interface FleetBook {
  version: 1;
  fleet: string;
  startedAt: string;
  endedAt: string | null;
  outcome: RunState | null;
  problem: string | null;
  searchAttributes: boolean;
  plan: FleetPlan | null;
  /** Selections that are still to be asked for. */
  selections: OpenSelection[];
  /** Every member has its id, or needs none. */
  idsChosen: boolean;
  members: Member[];
  window: WindowState | null;
  control: FleetControl;
  notes: string[];
}

export function newFleetBook(fleet: string, startedAt: string): FleetBook {
  return {
    version: 1,
    fleet,
    startedAt,
    endedAt: null,
    outcome: null,
    problem: null,
    searchAttributes: false,
    plan: null,
    selections: [],
    idsChosen: false,
    members: [],
    window: null,
    control: initialFleetControl(),
    notes: [],
  };
}

export function fleetState({ outcome, control }: FleetBook): RunState {
  if (outcome) return outcome;
  if (control.abort) return 'aborting';
  if (control.paused) return 'paused';
  return control.gate ? 'waiting-approval' : 'running';
}

/** Those that count against the budget. */
export function failing({ members, control }: FleetBook): string[] {
  return failures(members, control.forgiven);
}

export function fleetStatus(book: FleetBook, ids: { workflowId: string; runId: string }): FleetStatus {
  const rings = book.plan?.rings ?? [];
  const clusters = clusterLines(rings, book.members, LINES);
  return {
    version: 1,
    ciliate: CILIATE_VERSION,
    fleet: book.fleet,
    ...ids,
    state: fleetState(book),
    startedAt: book.startedAt,
    endedAt: book.endedAt,
    problem: book.problem,
    paused: book.control.paused,
    gate: book.control.gate,
    window: (book.plan?.windows.length ?? 0) === 0 ? null : book.window,
    budget: { allowed: book.plan?.failureBudget ?? 0, failing: failing(book) },
    rings: ringCounts(rings, book.members),
    clusters,
    omitted: book.members.length - clusters.length,
    audit: book.control.audit,
    notes: book.notes,
  };
}
