import type { Clients } from '../clients/index.js';

/** One replacement group as its driver sees it right now. */
export interface GroupState {
  name: string;
  desiredCapacity: number;
  minSize: number;
  instances: GroupInstance[];
}

export interface GroupInstance {
  id: string;
  zone: string;
  /** The group counts on it: InService and healthy. */
  inService: boolean;
  /** The group's own word, e.g. `Pending`, `Terminating:Wait`. */
  lifecycle: string;
}

/**
 * How nodes of one kind are replaced. A new kind (managed node group, Karpenter NodeClaim) is one new file that implements
 * this; everything else about a refresh is the same.
 */
export interface ReplacementDriver {
  /** Groups of these instances; an instance that no group knows is left out. */
  groupsOf(clients: Clients, instanceIds: string[]): Promise<Map<string, string>>;
  group(clients: Clients, name: string): Promise<GroupState>;
  /** Why the group's last attempt to launch failed, in its own words; null where it did not. */
  launchProblem(clients: Clients, name: string): Promise<string | null>;
  /** Terminates through the group, so that it replaces (or shrinks, with `decrement`). Called for a living instance only. */
  terminate(clients: Clients, instanceId: string, decrement: boolean): Promise<void>;
}
