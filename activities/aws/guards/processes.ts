import { DescribeScheduledActionsCommand, ResumeProcessesCommand, SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardEntry, GuardNow, LedgerSet } from '../../../domain/ledger.js';
import { ASG_PROCESSES_CHANGING, ASG_PROCESSES_WHOLE, AZ_REBALANCE } from '../../../domain/names.js';
import { instanceIdOf } from '../../../domain/kubernetes/resources.js';
import type { Clients } from '../../clients/index.js';
import type { SetGuard, Wanted } from '../../kubernetes/guard.js';
import { listNodes } from '../../kubernetes/lists.js';
import { describeGroups, groupsOf, instancesByZone } from '../groups.js';
import { missedActions } from '../scheduledActions.js';

const SUSPENDED = 'suspended';
const LAUNCH = 'Launch';

/** Processes of the Auto Scaling groups that stand behind the nodes: what would remove nodes by itself is suspended. */
export const processGuard: SetGuard = {
  kind: 'asg-process',
  async wanted(clients, set) {
    const processes = processesOf(set);
    if (processes.length === 0) return [];
    const groups = await describeGroups(clients, await groupNames(clients));
    return groups.flatMap((group) => processes.map((process) => wantedOf(group, process, set)));
  },
  async read(clients, entries) {
    const groups = await describeGroups(
      clients,
      entries.map((entry) => entry.name),
    );
    const byName = new Map(groups.map((group) => [group.AutoScalingGroupName, group]));
    return new Map(
      entries.flatMap((entry) => {
        const group = byName.get(entry.name);
        return group === undefined ? [] : [[entryKey(entry), nowOf(group, processOf(entry))] as const];
      }),
    );
  },
  async write(clients, entry, to) {
    const input = { AutoScalingGroupName: entry.name, ScalingProcesses: [processOf(entry)] };
    await (to === SUSPENDED
      ? clients.aws.autoScaling.send(new SuspendProcessesCommand(input))
      : clients.aws.autoScaling.send(new ResumeProcessesCommand(input)));
  },
  async missed(clients, entry) {
    if (processOf(entry) !== 'ScheduledActions') return [];
    const { ScheduledUpdateGroupActions = [] } = await clients.aws.autoScaling.send(new DescribeScheduledActionsCommand({ AutoScalingGroupName: entry.name }));
    return missedActions(ScheduledUpdateGroupActions, { from: new Date(entry.at), to: new Date() });
  },
};

/** Launches of a group, to be stopped for a moment; a pause gives them back where the moment has not come to its end. */
export function launchesOf(group: AutoScalingGroup): Wanted {
  return wantedOf(group, LAUNCH, 'changing');
}

export function isLaunches(entry: GuardEntry): boolean {
  return entry.kind === 'asg-process' && processOf(entry) === LAUNCH;
}

function wantedOf(group: AutoScalingGroup, process: string, set: LedgerSet): Wanted {
  const now = nowOf(group, process);
  const name = group.AutoScalingGroupName ?? '';
  const at = new Date().toISOString();
  return { now, entry: { kind: 'asg-process', set, object: `ASG ${name}: ${process}`, id: `${name}/${process}`, name, prior: now.value, ours: SUSPENDED, at, ...(process === AZ_REBALANCE ? { zones: instancesByZone(group) } : {}) } };
}

function processesOf(set: LedgerSet): readonly string[] {
  switch (set) {
    case 'whole':
      return ASG_PROCESSES_WHOLE;
    case 'changing':
      return ASG_PROCESSES_CHANGING;
    case 'node':
      return [];
  }
}

/** Whoever suspended it: AWS does not tell, so an unknown hand. */
function nowOf(group: AutoScalingGroup, process: string): GuardNow {
  const suspended = (group.SuspendedProcesses ?? []).some((candidate) => candidate.ProcessName === process);
  return { value: suspended ? SUSPENDED : null, setBy: 'unknown' };
}

function processOf(entry: GuardEntry): string {
  return entry.id.slice(entry.id.lastIndexOf('/') + 1);
}

async function groupNames(clients: Clients): Promise<string[]> {
  const ids = (await listNodes(clients)).map(instanceIdOf).filter((id) => id !== undefined);
  return [...new Set([...(await groupsOf(clients, ids)).values()].map((member) => member.group))];
}
