import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Approval, NodeVerb, Said, SetValues } from '../domain/control.js';
import type { NodeProgress, NodeResult, NodeStep } from '../domain/refresh.js';
import type { DrainSpec } from '../domain/spec/schema.js';
import type { MigrationReport, MigrationStatus } from '../domain/status.js';

/**
 * The names of updates, signals and queries: a public API from the first release on (docs/temporal.md has the exact
 * `temporal workflow …` lines). Every verb is an Update with a validator; pause, resume, approve and abort are Signals of the
 * same name as well, because a Signal lands with no worker alive.
 */
export const pauseUpdate = defineUpdate<string, [Said]>('pause');
export const resumeUpdate = defineUpdate<string, [Said]>('resume');
export const approveUpdate = defineUpdate<string, [Approval]>('approve');
export const abortUpdate = defineUpdate<string, [Said]>('abort');
export const skipUpdate = defineUpdate<string, [NodeVerb]>('skip');
export const retryUpdate = defineUpdate<string, [NodeVerb]>('retry');
export const setUpdate = defineUpdate<string, [SetValues]>('set');

export const pauseSignal = defineSignal<[Said]>('pause');
export const resumeSignal = defineSignal<[Said]>('resume');
export const approveSignal = defineSignal<[Approval]>('approve');
export const abortSignal = defineSignal<[Said]>('abort');
/** From the run's fleet: a pause beside a person's own, and its end. */
export const holdSignal = defineSignal<[Said]>('hold');
export const unholdSignal = defineSignal<[Said]>('unhold');

export const statusQuery = defineQuery<MigrationStatus>('status');
export const reportQuery = defineQuery<MigrationReport>('report');

/** What continue-as-new would carry right now; for support and tests, not stable. */
export const checkpointQuery = defineQuery<object>('checkpoint');

// --- between a migration and its nodes

/** What the parent wants of a node, whole every time: a later one replaces an earlier one, so none can be lost by order. */
export interface Steering {
  paused: boolean;
  /** Why the node should be handed back (skip, abort); null: go on. */
  handBack: string | null;
  /** Goes up with every `retry`. */
  retries: number;
  drain: DrainSpec;
  /** UIDs of pods that a person approved to be deleted. */
  forced: string[];
  /** The migration continues as new, or has: the cancellation that comes of that is none, and the end is told by a signal (docs/adr/0011). */
  outlives: boolean;
  /** The migration is about to continue as new: news would make the server refuse that, so it waits for the next steering, or a minute. */
  hush?: boolean;
  /** Goes up with every steering: a node that rests says which of them made it rest. */
  turn?: number;
}

/** How a node is refreshed, beyond which. */
export interface FlightPlan {
  decrement: boolean;
  /** A Cilium node that a surge has left over. */
  surplus: boolean;
  /** Told of are only firm blockers: many are in flight, and each signal is a task of the migration. */
  terse: boolean;
  /** The step that the migration shows until it has heard of another: so this one need not be told. Absent: the first. */
  shownAs?: NodeStep;
}

export const steerSignal = defineSignal<[Steering]>('steer');
export const nodeProgressSignal = defineSignal<[NodeProgress]>('nodeProgress');
/** From a node that outlived the run that started it: only so does the next run learn of its end. */
export const nodeEndedSignal = defineSignal<[NodeResult]>('nodeEnded');
export const nodeStatusQuery = defineQuery<NodeProgress>('status');
