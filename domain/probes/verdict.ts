/** One thing that a probe expected and did not see. */
export interface Lack {
  /** `Probe http shop`, for people. */
  object: string;
  /** What was expected and what was seen. */
  reason: string;
  todo: string;
  /** What a person would call a change of it; no counters, no values that run. */
  gist: string;
  /** How long it may last before it counts as a failure. */
  limitSeconds: number;
}

/** What a probe says right now: it holds where nothing is lacking. */
export interface Verdict {
  lacks: Lack[];
  /** For the report: what could not be checked, and why. */
  notes: string[];
}

/** Everything holds. */
export const HOLDS: Verdict = { lacks: [], notes: [] };
