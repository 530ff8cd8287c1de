import { SetInstanceProtectionCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardNow } from '../../../domain/ledger.js';
import type { Clients } from '../../clients/index.js';
import type { Guard, Wanted } from '../../kubernetes/guard.js';
import { chunks, describeGroup, describeGroups } from '../groups.js';
import { readInstances } from '../instances.js';

/** SetInstanceProtection takes no more. */
const INSTANCES_A_CALL = 50;
/** … and refuses the whole call for an instance in another state. */
const TAKES_IT: ReadonlySet<string> = new Set(['InService', 'EnteringStandby', 'Standby']);

/**
 * A group with extra nodes looks idle: at a pause or a gate, when its alarms may act again, a policy would scale it in, and
 * terminate new nodes undrained. So what is launched while it is raised is protected from scale-in; an explicit termination,
 * ours too, is not stopped by that.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
 */
export const scaleInProtectionGuard: Guard = {
  kind: 'scale-in-protection',
  async read(clients, entries) {
    const groups = await describeGroups(clients, entries.map(({ name }) => name));
    const byName = new Map(groups.map((group) => [group.AutoScalingGroupName, group]));
    return new Map(
      entries.flatMap((entry) => {
        const group = byName.get(entry.name);
        return group === undefined ? [] : [[entryKey(entry), nowOf(group)] as const];
      }),
    );
  },
  async write(clients, entry, to) {
    // The instances first: once the group's own value is back nobody would look for them again.
    if (to !== entry.ours) await unprotect(clients, await describeGroup(clients, entry.name), new Date(entry.at));
    await clients.aws.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: entry.name, NewInstancesProtectedFromScaleIn: to === 'true' }));
  },
  // Somebody set the group's own value back: its instances keep what they were launched with.
  dropped: async (clients, entry) => unprotect(clients, await describeGroup(clients, entry.name), new Date(entry.at)),
};

/** The entry that protecting a group's new instances would write. */
export function protectionOf(group: AutoScalingGroup): Wanted {
  const name = group.AutoScalingGroupName ?? '';
  const now = nowOf(group);
  return { now, entry: { kind: 'scale-in-protection', set: 'whole', object: `ASG ${name}: NewInstancesProtectedFromScaleIn`, id: name, name, prior: now.value, ours: 'true', at: new Date().toISOString() } };
}

function nowOf(group: AutoScalingGroup): GuardNow {
  return { value: String(group.NewInstancesProtectedFromScaleIn === true), setBy: 'unknown' };
}

/** Those that were launched since: whoever protected an older one is not us. */
async function unprotect(clients: Clients, group: AutoScalingGroup, since: Date): Promise<void> {
  const ids = (group.Instances ?? []).filter((instance) => instance.ProtectedFromScaleIn === true && TAKES_IT.has(instance.LifecycleState ?? '')).map(({ InstanceId = '' }) => InstanceId);
  // EC2 knows whole seconds only.
  const second = Math.floor(since.getTime() / 1_000) * 1_000;
  const ours = (await readInstances(clients, ids)).filter(({ LaunchTime }) => (LaunchTime?.getTime() ?? 0) >= second).map(({ InstanceId = '' }) => InstanceId);
  for (const InstanceIds of chunks(ours, INSTANCES_A_CALL)) {
    await clients.aws.autoScaling.send(new SetInstanceProtectionCommand({ AutoScalingGroupName: group.AutoScalingGroupName, InstanceIds, ProtectedFromScaleIn: false }));
  }
}
