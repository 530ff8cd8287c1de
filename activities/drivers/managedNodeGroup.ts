import type { Clients } from '../clients/index.js';
import { describeGroups, managedBy } from '../aws/groups.js';
import { nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { autoScalingGroup } from './autoScalingGroup.js';
import type { ReplacementDriver } from './driver.js';

/** Whose a group is never changes, so it is asked once for each cluster's clients. */
const known = new WeakMap<Clients, Map<string, boolean>>();

/** Whether EKS made the Auto Scaling group of that name; false too where it is gone. */
async function isManaged(clients: Clients, name: string): Promise<boolean> {
  const groups = known.get(clients) ?? new Map<string, boolean>();
  known.set(clients, groups);
  const before = groups.get(name);
  if (before !== undefined) return before;
  const [group] = await describeGroups(clients, [name]);
  const managed = group !== undefined && managedBy(group) !== undefined;
  if (group !== undefined) groups.set(name, managed);
  return managed;
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
  owns: async (clients, group) => group !== '' && nodePoolOf(group) === undefined && (await isManaged(clients, group)),
};
