import type { PathVerdict, ProbeResults } from '../../domain/policy/probe.js';
import type { RenderedPolicy } from '../../domain/policy/render.js';
import type { PolicyCluster, PolicySeen } from '../../domain/policy/run.js';
import type { CrossClusterPolicy } from '../../domain/spec/policy.js';
import type { Look } from '../api.js';

/** One policy object and the cluster that it belongs in. */
export interface PolicyRequest {
  cluster: PolicyCluster;
  rendered: RenderedPolicy;
  /** Names in Cilium of the other clusters that the policy is about. */
  peers: string[];
}

export interface ProbeRequest {
  policy: CrossClusterPolicy;
  from: PolicyCluster;
  to: PolicyCluster;
  /** Only this run knows it: Jobs are named by it, and results without it are none. */
  nonce: string;
}

/** Where the probe pods go; `impossible` says why none was started. */
export interface ProbesStarted {
  impossible: string | null;
  elsewhere: string | null;
}

/**
 * Side effects of a policy over several clusters. No Lease is taken: a policy changes nothing that a migration changes, and every
 * write is a server-side apply of one object of ours.
 */
export interface PolicyActivities {
  /** Reads only: what is there, what the API server says to the new object (dry run), which pods it selects and what they lose. */
  inspectPolicy(input: PolicyRequest): Promise<PolicySeen>;
  /** Server-side apply as ciliate; a field that somebody else owns is a permanent failure, not taken. */
  applyPolicy(input: PolicyRequest): Promise<{ done: 'applied' | 'unchanged' }>;
  /** Removes the object where it is ours; `nothing` where it is not there. */
  removePolicy(input: PolicyRequest): Promise<{ done: 'removed' | 'nothing' }>;
  /** Starts a Job that the policy selects and one that it does not, in the namespace where connections begin. */
  startPolicyProbes(input: ProbeRequest): Promise<ProbesStarted>;
  /** Look: both probe pods have ended, or `deadline` (ISO 8601) has passed. */
  lookPolicyProbes(input: ProbeRequest & { deadline: string; known: string }): Promise<Look & { results: ProbeResults }>;
  /** Deletes the Jobs of this run and their pods. */
  endPolicyProbes(input: ProbeRequest): Promise<void>;
}

export type { PathVerdict };
