import type { Hazard } from '../findings.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

const TOOLS = /argo|flux|kustomize-controller|helm-controller|terraform|pulumi|crossplane|fleet|eksctl|^helm$|rancher/i;

/** aws-node's affinity is changed for as long as the migration lasts: who else writes the object would put it back. */
export const gitopsOwner: Hazard = {
  id: 'aws-node-gitops',
  title: 'Another tool writes aws-node',
  check({ cluster }) {
    const tools = (cluster.awsNode?.fieldManagers ?? []).filter((manager) => TOOLS.test(manager));
    if (tools.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: tools.map((tool) => `field manager ${tool} of DaemonSet kube-system/aws-node`),
        message: 'If it applies its own manifest meanwhile, the affinity is lost and aws-node starts on every Cilium node at once.',
        todo: 'Stop it from reconciling aws-node (and the add-on) until the migration is over, then remove both from its source.',
      }),
    ];
  },
};

export const eksOwner: Hazard = {
  id: 'aws-node-eks-fields',
  title: 'EKS owns fields of aws-node',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    if (cluster.awsNode?.managedBy !== 'addon') return [];
    return [
      finding(this.id, 'info', {
        objects: ['Add-on vpc-cni'],
        message: 'aws-node is an EKS add-on: it is confined through the configuration of the add-on, which restarts its pods once, and the add-on is deleted at the end.',
        todo: 'Take the add-on out of Terraform, eksctl or CloudFormation after the migration, or they create it again.',
      }),
    ];
  },
};
