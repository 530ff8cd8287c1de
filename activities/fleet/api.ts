import type { ClusterSeen } from '../../domain/fleet/members.js';
import type { FleetInput, Selection, Window } from '../../domain/fleet/schema.js';
import type { WindowState } from '../../domain/fleet/windows.js';
import type { ClusterRef } from '../../domain/spec/schema.js';

/** An EKS cluster that a selection found. */
export interface FoundCluster {
  name: string;
  region: string;
  roleArn?: string;
  profile?: string;
}

/** A member whose run is looked at. */
export interface Watched {
  name: string;
  /** Since when no worker answers for it, as this look's predecessor told. */
  unanswered?: string;
}

/** What a fleet asks of the world; the rules are those of activities/api.ts. */
export interface FleetActivities {
  /** Strictly validates what a fleet was started with. Permanent failure `InvalidFleet` names every issue. */
  readFleet(input: unknown): Promise<FleetInput>;
  /** EKS clusters that carry all the tags: ListClusters and DescribeCluster, over every account and region. Names are unique in the answer, or it fails. */
  findClusters(input: { select: Selection }): Promise<FoundCluster[]>;
  /** cilium.clusterId that each cluster has for good: of its Cilium, else of its CNI ledger. `problem`: it cannot be read now. */
  readClusterIds(input: { clusters: { name: string; cluster: ClusterRef }[] }): Promise<{ name: string; id: number | null; problem?: string }[]>;
  /** Whether a maintenance window is open at `at`, by this machine's time zone data. */
  fleetWindow(input: { windows: Window[]; at: string }): Promise<WindowState>;
  /**
   * Look: how the runs of these clusters stand, the newest of each. Returns those that changed since `known`: at once what decides something,
   * mere progress at most every half minute. Never "done" by itself.
   */
  lookFleet(input: { clusters: Watched[]; known: Record<string, string> }): Promise<{ changed: { name: string; open: boolean; seen: ClusterSeen }[]; known: Record<string, string> }>;
}
