import type { Finding } from '../findings.js';
import type { CiliumNetworkPolicy, CrossClusterPolicy } from '../spec/policy.js';
import type { ClusterRef } from '../spec/schema.js';
import type { PathVerdict } from './probe.js';
import { markedPolicy, renderPolicy } from './render.js';
import type { RenderedPolicy } from './render.js';

export type PolicyVerb = 'apply' | 'verify' | 'remove';

/** A cluster as POLICY names it, and how to reach it. */
export interface PolicyCluster {
  name: string;
  /** Its name in Cilium: what the labels of policies say. */
  ciliumName: string;
  cluster: ClusterRef;
}

/** What the workflow of one policy is started with. */
export interface PolicyInput {
  verb: PolicyVerb;
  given: { kind: 'cross'; policy: CrossClusterPolicy } | { kind: 'plain'; policy: CiliumNetworkPolicy; clusters: string[] };
  clusters: PolicyCluster[];
  /** Only looks: what `apply` would do. */
  dryRun: boolean;
  /** How long probe pods may take to say something. */
  probeSeconds: number;
}

/** What was found about one policy in its cluster, and what was done with it. Stable: keys are only ever added. */
export interface PolicySeen {
  cluster: string;
  direction: RenderedPolicy['direction'];
  namespace: string;
  name: string;
  /** `foreign`: an object of that name that is not ours. */
  state: 'absent' | 'same' | 'differs' | 'foreign';
  /** Its spec (or specs) as it is there, and as it should be. */
  before: unknown;
  after: unknown;
  /** Pods that it selects; null where that cannot be told by labels alone. */
  pods: number | null;
  losses: string[];
  findings: Finding[];
  done: 'applied' | 'unchanged' | 'removed' | 'nothing' | null;
}

/** How a policy verb ended. `unproven`: everything is in place, but nobody could show that it works. */
export interface PolicyResult {
  version: 1;
  policy: string;
  verb: PolicyVerb;
  state: 'done' | 'blocked' | 'failed' | 'unproven';
  problem: string | null;
  clusters: PolicySeen[];
  paths: PathVerdict[];
}

/** Every policy object that a run is about. */
export function policiesOf({ given, clusters }: PolicyInput): RenderedPolicy[] {
  if (given.kind === 'plain') return given.clusters.map((cluster) => ({ cluster, direction: 'given', object: markedPolicy(given.policy) }));
  return renderPolicy(given.policy, (name) => clusterOf(clusters, name).ciliumName);
}

/** @throws Error where the starter left one out */
export function clusterOf(clusters: PolicyCluster[], name: string): PolicyCluster {
  const found = clusters.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`the run was started without the cluster ${name}`);
  return found;
}
