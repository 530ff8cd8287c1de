import type { Clients } from '../clients/index.js';
import { describeGroups } from '../aws/groups.js';
import { nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { autoScalingGroup } from './autoScalingGroup.js';
import type { ReplacementDriver } from './driver.js';

/** Put by EKS on the group behind a managed node group; the first tells its name. */
export const NODEGROUP_TAG = 'eks:nodegroup-name';

/** Whose a group is never changes, so it is asked once for each cluster's clients. */
const known = new WeakMap<Clients, Map<string, string | null>>();

/** Name of the managed node group behind an Auto Scaling group; null where it is a group of one's own, or gone. */
export async function nodegroupOf(clients: Clients, group: string): Promise<string | null> {
  const names = known.get(clients) ?? new Map<string, string | null>();
  known.set(clients, names);
  const before = names.get(group);
  if (before !== undefined) return before;
  const [found] = await describeGroups(clients, [group]);
  const name = found?.Tags?.find((tag) => tag.Key === NODEGROUP_TAG)?.Value ?? null;
  if (found !== undefined) names.set(group, name);
  return name;
}

/**
 * An EKS managed node group. Its nodes end as in the group behind it, which launches the replacement; only its sizes belong to
 * EKS (UpdateNodegroupConfig), which would put back what is changed behind its back.
 */
export const managedNodeGroup: ReplacementDriver = {
  ...autoScalingGroup,
  kind: 'managed-node-group',
  // Found as nodes of an Auto Scaling group: asking twice tells no more.
  places: () => Promise.resolve(new Map()),
  owns: async (clients, group) => group !== '' && nodePoolOf(group) === undefined && (await nodegroupOf(clients, group)) !== null,
};
