import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { unlaunched } from '../../domain/pool/surge.js';
import type { Clients } from '../clients/index.js';
import { lowerRaised } from '../kubernetes/guardsLedger.js';
import { setSizes } from './capacity.js';
import { aliveIn } from './groups.js';
import { raisedNow } from './guards/sizes.js';
import type { SeenSizes } from './raiseCapacity.js';
import { failedLaunch } from './scalingActivities.js';

/**
 * Takes back extra nodes that cannot be launched: DesiredCapacity down to the instances that there are. Only where the last
 * launch failed or launches are suspended: one that is under way is awaited, or Auto Scaling would end some instance for it.
 */
export async function callOffLaunches(clients: Clients, seen: SeenSizes): Promise<void> {
  for (const { group, by } of await hopelessLaunches(clients, seen)) {
    // The ledger after the change: until then it only says that there may be more to take back than there is.
    await setSizes(clients, group, { desired: (group.DesiredCapacity ?? 0) - by });
    await lowerRaised(clients, group.AutoScalingGroupName ?? '', by);
  }
}

/** What callOffLaunches would change. */
export async function hopelessLaunches(clients: Clients, { groups, ledger }: SeenSizes): Promise<{ group: AutoScalingGroup; by: number }[]> {
  const hopeless: { group: AutoScalingGroup; by: number }[] = [];
  for (const group of groups) {
    const ours = raisedNow(ledger, group);
    const by = ours === undefined ? 0 : unlaunched({ desired: group.DesiredCapacity ?? 0, instances: aliveIn(group).length, ours });
    if (by > 0 && (await isHopeless(clients, group))) hopeless.push({ group, by });
  }
  return hopeless;
}

async function isHopeless(clients: Clients, group: AutoScalingGroup): Promise<boolean> {
  const suspended = (group.SuspendedProcesses ?? []).some(({ ProcessName }) => ProcessName === 'Launch');
  return suspended || (await failedLaunch(clients, group.AutoScalingGroupName ?? '')) !== undefined;
}
