import type { Manifest } from './schema.js';

/**
 * What workflows need of the manifest's vocabulary. Apart from the schemas: those bring the validation library along, and what
 * a workflow imports is evaluated anew for every workflow that a worker holds.
 */
export const GATES = ['before-install', 'after-canary', 'before-enforcement', 'before-removal', 'before-rollback'] as const;
export type Gate = (typeof GATES)[number];

/** What happens to a drain that takes longer than it may. */
export const DRAIN_TIMEOUTS = ['skip-to-end', 'wait', 'force'] as const;

/** What every kind of document of ours begins with. */
export const API_VERSION = 'ciliate.io/v1alpha1';

/** The gates that a run waits at: where none are named all, and without a canary none after it. */
export function approvalsOf({ approvals, refresh }: Manifest['spec']): readonly Gate[] {
  return approvals ?? GATES.filter((gate) => refresh.canary || gate !== 'after-canary');
}
