import type { Hazard } from '../findings.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const instanceRefresh: Hazard = {
  id: 'instance-refresh',
  title: 'An instance refresh is in progress',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const busy = cluster.groups.filter((group) => group.instanceRefreshes.length > 0);
    if (busy.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: busy.map((group) => `Auto Scaling group ${group.name} (${group.instanceRefreshes.join(', ')})`),
        message: 'It replaces instances at its own pace and honours no PodDisruptionBudget: two rollers on one group take down more than either meant to.',
        todo: 'Wait for it, or cancel it: aws autoscaling cancel-instance-refresh --auto-scaling-group-name GROUP',
      }),
    ];
  },
};

/** With Launch off no replacement ever comes; with Terminate off the group keeps what it was told to end. */
export const processSuspended: Hazard = {
  id: 'group-process-suspended',
  title: 'A group may not launch or terminate instances',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const used = new Set(toRefresh(cluster).map((node) => node.group));
    const stuck = cluster.groups.flatMap((group) => {
      const off = group.suspendedProcesses.filter((process) => process === 'Launch' || process === 'Terminate');
      return used.has(group.name) && off.length > 0 ? [`Auto Scaling group ${group.name} (${off.join(', ')})`] : [];
    });
    if (stuck.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: stuck,
        message: 'The process is suspended, so a terminated node would not be replaced: the cluster would shrink by one and wait.',
        todo: 'aws autoscaling resume-processes --auto-scaling-group-name GROUP --scaling-processes Launch Terminate',
      }),
    ];
  },
};

export const groupNotWhole: Hazard = {
  id: 'group-not-whole',
  title: 'A group does not have the instances that it wants',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const used = new Set(toRefresh(cluster).map((node) => node.group));
    const short = cluster.groups.flatMap((group) => {
      const inService = group.instances.filter((instance) => instance.lifecycle === 'InService' && instance.healthy).length;
      return used.has(group.name) && inService < group.desiredCapacity
        ? [`Auto Scaling group ${group.name} (${inService} healthy in service, wants ${group.desiredCapacity})`]
        : [];
    });
    if (short.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: short,
        message: 'No node of such a group is drained until it is whole again: the migration will wait there.',
        todo: 'Look at its activity: aws autoscaling describe-scaling-activities --auto-scaling-group-name GROUP',
      }),
    ];
  },
};

export const scaleInProtection: Hazard = {
  id: 'scale-in-protection',
  title: 'Instances are protected from scale-in',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const refreshed = new Set(toRefresh(cluster).map((node) => node.instanceId));
    const kept = cluster.groups.flatMap((group) =>
      group.instances.filter((instance) => instance.protected && refreshed.has(instance.id)).map((instance) => `Instance ${instance.id} (${group.name})`),
    );
    if (kept.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: kept,
        message: 'Somebody protected these instances. The protection stops the group, not an explicit termination: they are replaced like the others.',
        todo: 'Ask who set it. Use `ciliate skip CLUSTER NODE` for a node that must stay.',
      }),
    ];
  },
};
