import type { Manifest } from './schema.js';

/**
 * What workflows need of the manifest's vocabulary. Apart from the schemas: those bring the validation library along, and what
 * a workflow imports is evaluated anew for every workflow that a worker holds.
 */
export const GATES = ['before-install', 'accept-limits', 'after-canary', 'before-enforcement', 'before-removal', 'before-rollback'] as const;
export type Gate = (typeof GATES)[number];

/** The ways from the VPC CNI to Cilium. */
export const STRATEGIES = ['replace', 'chain', 'clean'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Gates that strategy `chain` has on no way: aws-node stays. */
export const CHAIN_REFUSES: readonly Gate[] = ['before-removal'];

/** What Cilium chained on the VPC CNI cannot do; what each means: domain/chain/limits.ts. */
export const CHAIN_LIMITS = ['l7', 'ipsec', 'eni', 'host-routing', 'security-groups', 'replace-later'] as const;
export type ChainLimit = (typeof CHAIN_LIMITS)[number];

/** What happens to a drain that takes longer than it may. */
export const DRAIN_TIMEOUTS = ['skip-to-end', 'wait', 'force'] as const;

/** What every kind of document of ours begins with. */
export const API_VERSION = 'ciliate.io/v1alpha1';

/**
 * The gates that a run waits at: where none are named all, and without a canary none after it. Limits of chaining are accepted in the
 * spec or by a person, whatever else is approved.
 */
export function approvalsOf({ approvals, refresh, strategy, chain }: Manifest['spec']): readonly Gate[] {
  const named = approvals ?? GATES.filter((gate) => refresh.canary || gate !== 'after-canary');
  const others = named.filter((gate) => gate !== 'accept-limits');
  return strategy === 'chain' && chain.acceptLimits === undefined ? ['accept-limits', ...others] : others;
}

/** Kinds of documents that a person writes. */
export const KINDS = ['ClusterMigration', 'Fleet', 'Mesh', 'CrossClusterPolicy'] as const;
export type Kind = (typeof KINDS)[number];
