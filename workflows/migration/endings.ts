import type { RunState } from '../../domain/status.js';

/** How a phase ends the run early: not an error of the program, so not a failure either. */
export class RunEnd extends Error {
  override readonly name = 'RunEnd';
  constructor(
    readonly outcome: Extract<RunState, 'done' | 'partial' | 'failed' | 'aborted'>,
    readonly why: string | null,
  ) {
    super(why ?? outcome);
  }
}
