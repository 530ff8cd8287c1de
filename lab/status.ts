import { LabUnreachableError, messageOf } from './errors.js';
import type { GroupState, Instance, Taint, Violation } from './glue/types.js';
import type { KilledPod } from './glue/watchdog.js';

/** What a lab sees of itself. */
export interface LabStatus {
  /** Empty unless somebody changed the CNI under a living node. */
  violations: Violation[];
  /** Pods that ran (and were not going) when their instance was terminated: not drained. */
  killedPods: KilledPod[];
  instances: Omit<Instance, 'userData'>[];
  groups: GroupState[];
  subnets: string[];
  nodes: { name: string; uid: string; providerId: string; ready: boolean; labels: Record<string, string>; taints: Taint[]; unschedulable: boolean }[];
  pods: { total: number; running: number };
  pids: Record<string, number | undefined>;
}

/** @throws LabUnreachableError when the lab does not answer. */
export async function fetchStatus(controlUrl: string): Promise<LabStatus> {
  try {
    const response = await fetch(`${controlUrl}/status`);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as LabStatus;
  } catch (error) {
    throw new LabUnreachableError(`the lab at ${controlUrl} does not answer: ${messageOf(error)}`);
  }
}
