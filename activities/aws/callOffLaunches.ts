import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Entries } from '../../domain/ledger.js';
import { unlaunched } from '../../domain/pool/surge.js';
import type { Clients } from '../clients/index.js';
import { lowerRaised } from '../kubernetes/guardsLedger.js';
import { setSizes } from './capacity.js';
import { aliveIn } from './groups.js';
import { raised } from './guards/sizes.js';
import { failedLaunch } from './scalingActivities.js';

/**
 * Takes back extra nodes that cannot be launched: DesiredCapacity down to the instances that there are. Only where the last
 * launch failed or launches are suspended: one that is under way is awaited, or Auto Scaling would end some instance for it.
 */
export async function callOffLaunches(clients: Clients, { groups, ledger }: { groups: readonly AutoScalingGroup[]; ledger: Entries }): Promise<void> {
  for (const group of groups) {
    const name = group.AutoScalingGroupName ?? '';
    const desired = group.DesiredCapacity ?? 0;
    const ours = raised(ledger, name);
    const by = ours === undefined ? 0 : unlaunched({ desired, instances: aliveIn(group).length, ours });
    if (by === 0 || !(await isHopeless(clients, group))) continue;
    // The ledger after the change: until then it only says that there may be more to take back than there is.
    await setSizes(clients, group, { desired: desired - by });
    await lowerRaised(clients, name, by);
  }
}

async function isHopeless(clients: Clients, group: AutoScalingGroup): Promise<boolean> {
  const suspended = (group.SuspendedProcesses ?? []).some(({ ProcessName }) => ProcessName === 'Launch');
  return suspended || (await failedLaunch(clients, group.AutoScalingGroupName ?? '')) !== undefined;
}
