import type { Clients } from '../clients/index.js';
import { describeGroups, managedBy } from '../aws/groups.js';
import { autoScalingGroup } from './autoScalingGroup.js';
import type { ReplacementDriver } from './driver.js';

/** Whose a group is never changes, so it is asked once for each cluster's clients. */
const known = new WeakMap<Clients, Map<string, boolean>>();

/** Those of these Auto Scaling groups that EKS made; none that is gone. */
async function owns(clients: Clients, names: readonly string[]): Promise<string[]> {
  const managed = known.get(clients) ?? new Map<string, boolean>();
  known.set(clients, managed);
  const groups = await describeGroups(clients, names.filter((name) => !managed.has(name)));
  for (const group of groups) managed.set(group.AutoScalingGroupName ?? '', managedBy(group) !== undefined);
  return names.filter((name) => managed.get(name) === true);
}

/**
 * An EKS managed node group. Its nodes end as in the group behind it, which launches the replacement; only its sizes belong to
 * EKS (UpdateNodegroupConfig), which would put back what is changed behind its back. A DesiredCapacity that is lowered there it
 * follows (activities/aws/capacity.ts).
 */
export const managedNodeGroup: ReplacementDriver = {
  ...autoScalingGroup,
  kind: 'managed-node-group',
  // Found as nodes of an Auto Scaling group: asking twice tells no more.
  places: () => Promise.resolve(new Map()),
  owns,
};
