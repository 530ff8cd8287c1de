import type { Instance } from '@aws-sdk/client-ec2';
import type { V1Node } from '@kubernetes/client-node';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import type { NodeRequest } from '../api.js';
import type { Clients } from '../clients/index.js';

/** Pool (NodeRef.group) and zone of an instance. */
export interface Place {
  group: string;
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
 * How the nodes of one kind of pool are replaced. A new kind is a new file and its line in index.ts. Capacity for surge is not
 * its matter (activities/aws/capacity.ts).
 */
export interface ReplacementDriver {
  kind: 'auto-scaling-group' | 'managed-node-group' | 'karpenter';
  /** Pools of these nodes, by instance id, as far as they are this driver's to find. */
  places(clients: Clients, nodes: readonly V1Node[]): Promise<Map<string, Place>>;
  /** Whether a pool is this driver's. */
  owns(clients: Clients, group: string): Promise<boolean>;
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
