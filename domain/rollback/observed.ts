import type { ValuesPhase } from '../cilium/values.js';
import type { Affinity } from '../kubernetes/nodeAffinity.js';
import type { ObservedCluster } from '../observation.js';

/** What a rollback has to know beside what every run looks at. Plain JSON. */
export interface ObservedRollback {
  cluster: ObservedCluster;
  /** What the CNI ledger in the cluster knows of aws-node; null where there is no ledger. */
  ledger: SavedAwsNode | null;
  /** Cilium is (or was) chained on aws-node: by cilium-config, else by the ledger, else by the spec. */
  chained: boolean;
  /** Phase of the Helm release, where it is ours. */
  phase: ValuesPhase | null;
  /** What `enable-policy` of cilium-config says; null where it is not there. */
  policyMode: string | null;
  /** The cluster is connected to others (`ciliate mesh connect`). */
  meshed: boolean;
  /** CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies. */
  ciliumPolicies: number;
}

export interface SavedAwsNode {
  /** The add-on that aws-node was; null where it was none. */
  addon: { version: string; /** Whether its configuration takes an affinity; null where EKS knows that version no more or cannot be asked. */ takesAffinity: boolean | null } | null;
  /** The DaemonSet is saved. */
  daemonSet: boolean;
  /** aws-node's affinity at first. */
  affinity: Affinity | null;
}
