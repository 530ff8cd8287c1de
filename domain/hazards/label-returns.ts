import type { Hazard } from '../findings.js';
import type { ObservedCluster } from '../observation.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import { modeOf } from '../plan/mode.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

/** A replacement that comes up with the label gets aws-node: the migration would replace nodes for ever. */
export const labelReturns: Hazard = {
  id: 'label-returns',
  title: 'New nodes get the label cni-plugin',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const objects = [
      ...(cluster.eks?.nodegroups ?? []).filter((group) => group.labels[CNI_LABEL] !== undefined).map((group) => `Node group ${group.name}`),
      ...cluster.groups.filter((group) => group.nodeLabels?.[CNI_LABEL] !== undefined).map((group) => `Auto Scaling group ${group.name}`),
      ...cluster.nodePools.filter((pool) => pool.labels[CNI_LABEL] !== undefined).map((pool) => `NodePool ${pool.name}`),
    ];
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects,
        message: `New nodes would come up with ${CNI_LABEL} already set, get aws-node again, and never prove to be on Cilium.`,
        todo: inNodegroupOfLabelled(cluster) ? REPLACE_GROUP : REMOVE,
      }),
    ];
  },
};

const REMOVE = `Before the start, remove ${CNI_LABEL}: aws eks update-nodegroup-config --labels removeLabels=${CNI_LABEL}, --node-labels of the launch template, labels of the NodePool (with budgets at 0: its nodes drift).`;
const REPLACE_GROUP = `Do not take it from the node group now: EKS takes it from its living nodes as well, and aws-node with it. Make a second node group without it, let the first run out (skip its nodes, then scale it down), and start again. In launch templates it can be removed at any time.`;

/** Once aws-node is confined to labelled nodes, the label of a managed node group is what its nodes live by. */
function inNodegroupOfLabelled(cluster: ObservedCluster): boolean {
  if (modeOf(cluster, 'replace') === 'migrate' || cluster.awsNode?.restricted !== true) return false;
  const groups = (cluster.eks?.nodegroups ?? []).filter((group) => group.labels[CNI_LABEL] !== undefined).flatMap((group) => group.autoScalingGroups);
  return cluster.nodes.some((node) => node.labels[CNI_LABEL] === CNI_LABEL_AWS && groups.includes(node.group ?? ''));
}
