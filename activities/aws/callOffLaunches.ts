import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Entries } from '../../domain/ledger.js';
import { unlaunched } from '../../domain/pool/surge.js';
import type { Clients } from '../clients/index.js';
import { lowerRaised, readClusterGuards } from '../kubernetes/guardsLedger.js';
import { lowerDesired } from './capacity.js';
import { aliveIn } from './groups.js';
import { raisedNow } from './guards/sizes.js';
import type { SeenSizes } from './raiseCapacity.js';
import { launchesSeen } from './scalingActivities.js';
import { withLaunchesStopped } from './stopLaunches.js';

/**
 * Takes back extra nodes that cannot be launched: DesiredCapacity down to the instances that there are. Only where the last
 * launch failed or launches are suspended: one that is under way is awaited, or Auto Scaling would end some instance for it. So none
 * may begin meanwhile, and what there is counts from then on.
 */
export async function callOffLaunches(clients: Clients, seen: SeenSizes): Promise<void> {
  for (const hopeless of await hopelessLaunches(clients, seen)) {
    const name = hopeless.AutoScalingGroupName ?? '';
    await withLaunchesStopped(clients, name, async (group) => {
      const by = unlaunchedIn(group, await readClusterGuards(clients));
      if (by === 0 || !(await isHopeless(clients, group))) return;
      // The ledger after the change: until then it only says that there may be more to take back than there is.
      await lowerDesired(clients, group, (group.DesiredCapacity ?? 0) - by);
      await lowerRaised(clients, name, by);
    });
  }
}

/** Groups that callOffLaunches would change. */
export async function hopelessLaunches(clients: Clients, { groups, ledger }: SeenSizes): Promise<AutoScalingGroup[]> {
  const hopeless: AutoScalingGroup[] = [];
  for (const group of groups) if (unlaunchedIn(group, ledger) > 0 && (await isHopeless(clients, group))) hopeless.push(group);
  return hopeless;
}

function unlaunchedIn(group: AutoScalingGroup, ledger: Entries): number {
  const ours = raisedNow(ledger, group);
  return ours === undefined ? 0 : unlaunched({ desired: group.DesiredCapacity ?? 0, instances: aliveIn(group).length, ours });
}

async function isHopeless(clients: Clients, group: AutoScalingGroup): Promise<boolean> {
  const suspended = (group.SuspendedProcesses ?? []).some(({ ProcessName }) => ProcessName === 'Launch');
  const { failed, underWay } = await launchesSeen(clients, group);
  return !underWay && (suspended || failed !== undefined);
}
