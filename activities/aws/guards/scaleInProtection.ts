import { SetInstanceProtectionCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { CiliateError } from '../../../domain/failures.js';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardNow } from '../../../domain/ledger.js';
import type { Clients } from '../../clients/index.js';
import type { Guard, Wanted } from '../../kubernetes/guard.js';
import { waitedMs } from '../../look.js';
import { chunks, describeGroup, describeGroups } from '../groups.js';
import { readInstances } from '../instances.js';

/** SetInstanceProtection takes no more. */
const INSTANCES_A_CALL = 50;
/** … and refuses the whole call for an instance in another state. */
const TAKES_IT: ReadonlySet<string> = new Set(['InService', 'EnteringStandby', 'Standby']);

/** A boot takes no longer; a hook that holds one for an hour is not waited out. */
const PENDING_MS = 300_000;

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
    await clients.aws.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: entry.name, NewInstancesProtectedFromScaleIn: to === 'true' }));
    // After that none is launched with it any more. Where this is not reached, the next attempt finds the group's value back, and them.
    if (to !== entry.ours) await unprotect(clients, await describeGroup(clients, entry.name), new Date(entry.at));
  },
  // The group's own value is back: its instances keep what they were launched with.
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
  const guarded = (group.Instances ?? []).filter(({ ProtectedFromScaleIn, LifecycleState = '' }) => ProtectedFromScaleIn === true && (TAKES_IT.has(LifecycleState) || isPending(LifecycleState)));
  // EC2 knows whole seconds only.
  const second = Math.floor(since.getTime() / 1_000) * 1_000;
  const found = await readInstances(clients, guarded.map(({ InstanceId = '' }) => InstanceId));
  const launched = new Set(found.filter(({ LaunchTime }) => (LaunchTime?.getTime() ?? 0) >= second).map(({ InstanceId }) => InstanceId));
  const ours = guarded.filter(({ InstanceId }) => launched.has(InstanceId));
  const ready = ours.filter(({ LifecycleState = '' }) => TAKES_IT.has(LifecycleState)).map(({ InstanceId = '' }) => InstanceId);
  for (const InstanceIds of chunks(ready, INSTANCES_A_CALL)) {
    await clients.aws.autoScaling.send(new SetInstanceProtectionCommand({ AutoScalingGroupName: group.AutoScalingGroupName, InstanceIds, ProtectedFromScaleIn: false }));
  }
  if (ready.length === ours.length || waitedMs() > PENDING_MS) return;
  const object = `ASG ${group.AutoScalingGroupName}`;
  throw new CiliateError('Transient', { object, expected: 'its new instances in service, to take their scale-in protection back', seen: `${ours.length - ready.length} pending`, todo: 'They are awaited.' }, { code: 'Pending' });
}

function isPending(lifecycle: string): boolean {
  return lifecycle.startsWith('Pending');
}
