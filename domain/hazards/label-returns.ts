import type { Hazard } from '../findings.js';
import { AGENT_NOT_READY_TAINT, CNI_LABEL } from '../names.js';
import { finding } from './finding.js';

/** A replacement that comes up with the label gets aws-node: the migration would replace nodes for ever. */
export const labelReturns: Hazard = {
  id: 'label-returns',
  title: 'A node group gives its nodes the label cni-plugin',
  check({ cluster }) {
    const objects = [
      ...(cluster.eks?.nodegroups ?? []).filter((group) => group.labels[CNI_LABEL] !== undefined).map((group) => `Node group ${group.name}`),
      ...cluster.groups.filter((group) => group.nodeLabels?.[CNI_LABEL] !== undefined).map((group) => `Auto Scaling group ${group.name}`),
    ];
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects,
        message: `New nodes would come up with ${CNI_LABEL} already set, get aws-node again, and never prove to be on Cilium.`,
        todo: `Remove ${CNI_LABEL} from the labels of the node group and from --node-labels of its launch template.`,
      }),
    ];
  },
};

export const startupTaint: Hazard = {
  id: 'agent-not-ready-taint',
  title: "A node group gives its nodes Cilium's startup taint",
  check({ cluster }) {
    const groups = (cluster.eks?.nodegroups ?? []).filter((group) => group.taints.some((taint) => taint.key === AGENT_NOT_READY_TAINT));
    if (groups.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: groups.map((group) => `Node group ${group.name}`),
        message: `${AGENT_NOT_READY_TAINT} is removed by the operator once the agent is ready. Until Cilium is installed, and after a rollback, nobody removes it: new nodes of the group stay empty.`,
        todo: 'Fine while the migration goes forward. Remove it from the node group before any rollback.',
      }),
    ];
  },
};
