import type { ObservedCluster } from './observation.js';
import type { Manifest } from './spec/schema.js';
import type { Strategy } from './spec/words.js';

/** `blocker` stops the run before its first write, `warning` is shown at before-install, `info` is only reported. */
export type Severity = 'blocker' | 'warning' | 'info';

/** One thing that preflight found. */
export interface Finding {
  /** Stable id in kebab case, e.g. `network-policy-gap`; docs/hazards.md has a section of that name. */
  id: string;
  severity: Severity;
  /** Objects concerned, at most ten named and the rest counted. */
  objects: string[];
  /** What is wrong and what would happen. */
  message: string;
  /** What to do about it. */
  todo: string;
}

export interface HazardInput {
  cluster: ObservedCluster;
  manifest: Manifest;
  /** What went wrong while the chart was fetched, rendered and checked; empty where all is well or it was not tried. */
  chartProblems?: ChartProblem[];
}

/** One thing that is wrong with the chart, its values or what they render to. */
export interface ChartProblem {
  /** `chart`: cannot be had; `values`: fight the migration; `render`: helm refuses; `assertion`: renders to something unsafe. */
  stage: 'chart' | 'values' | 'render' | 'assertion';
  /** Value path, object or chart reference. */
  object: string;
  message: string;
  todo: string;
}

/** One hazard is one file in domain/hazards/: pure, from what was observed to what was found. */
export interface Hazard {
  id: string;
  title: string;
  /** The strategies that it matters to; absent: all. */
  strategies?: readonly Strategy[];
  check(input: HazardInput): Finding[];
}
