import type { Instance } from '@aws-sdk/client-ec2';
import type { V1Node } from '@kubernetes/client-node';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import type { NodeRequest } from '../api.js';
import type { Clients } from '../clients/index.js';

/** Pool (NodeRef.group) and zone of an instance. */
export interface Place {
  group: string;
  /** Empty where the Node's label says it. */
  zone: string;
}

/** How a node is to end. */
export interface Ending {
  /** Whether it is to be asked for: false where its pool ends it already, whatever EC2 says of it. */
  ask: boolean;
  /** Its pool is to be smaller by it, so no replacement comes. */
  decrement: boolean;
}

export interface Candidates {
  /** Instances of the pool that are alive and were not there before: one of them is the replacement. */
  instances: Instance[];
  /** Why there is none yet. Empty where none is due, so that nothing is awaited. */
  awaited: Blocker[];
}

/**
 * How the nodes of one kind of pool are replaced, and all that the rest of the program asks about that kind: a new kind is a new file
 * and its line in index.ts (docs/adr/0009).
 */
export interface ReplacementDriver {
  /** Name of the kind, for people. */
  kind: string;
  /**
   * Whether its pools are Auto Scaling groups, by their names: then they have a size, which a surge raises (activities/aws/capacity.ts)
   * and a termination with decrement lowers. Pools of any other kind want the nodes that they have, and are never raised.
   */
  sized: boolean;
  /** How people call a pool: `NodePool default`. */
  title(group: string): string;
  /** What is done to a node at its end, for plans: `NodeClaim of instance i-0abc deleted in NodePool default`. Absent: its instance is terminated in its pool. */
  endText?(node: Pick<NodeRef, 'instanceId' | 'group'>): string;
  /** What to look at where an instance that was ended stays. Absent: it is only awaited. */
  lingering?(group: string): string;
  /**
   * Pools of these nodes, by instance id, as far as they are this driver's to find. A node that no driver finds blocks the preflight.
   * A pool's name tells its kind, for good: `karpenter/NODEPOOL`.
   */
  places(clients: Clients, nodes: readonly V1Node[]): Promise<Map<string, Place>>;
  /** Whether a node's labels say that it is of this kind: if `places` does not find it then, nothing could end it, and it is left out. Absent: it blocks. */
  marks?(labels: Readonly<Record<string, string>>): boolean;
  /** Which of these pools are this driver's, by their names. */
  owns(clients: Clients, groups: readonly string[]): Promise<readonly string[]>;
  /**
   * Instances that cannot be this node's replacement, since they are older than its end.
   *
   * @param endedAt when somebody else ended it already
   */
  instancesBefore(clients: Clients, ref: NodeRef, endedAt?: Date): Promise<string[]>;
  /**
   * How the node is to end, decided from what its pool is now: this may be after a crash, or somebody else may have begun it.
   *
   * @param going EC2 ends it already
   * @throws CiliateError Permanent `TerminationRefused` where its pool cannot end it
   */
  ending(clients: Clients, request: NodeRequest & { decrement: boolean }, going: boolean): Promise<Ending>;
  /** Asks for the node's end, with the decrement that `ending` said. */
  terminate(clients: Clients, request: NodeRequest & { decrement: boolean }): Promise<void>;
  /** What may be its replacement; `before` are the instances that cannot. */
  candidates(clients: Clients, ref: NodeRef, before: readonly string[]): Promise<Candidates>;
}
