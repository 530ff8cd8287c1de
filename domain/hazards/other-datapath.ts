import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

/** Between the two ways of running Cilium there is no way on a living cluster that anybody has tested. */
export const otherDatapath: Hazard = {
  id: 'other-datapath',
  title: 'Cilium runs in the other way already',
  check({ cluster: { cilium }, manifest }) {
    const mode = cilium?.config?.chainingMode;
    if (cilium?.release?.ours !== true || mode === undefined || mode === null) return [];
    const chained = mode === 'aws-cni';
    const wanted = manifest.spec.strategy === 'chain';
    if (chained === wanted) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ['Helm release kube-system/cilium'],
        message: chained
          ? 'Cilium is chained on the VPC CNI here: every node runs both. Going on to Cilium alone is not tested by the Cilium project.'
          : 'Cilium runs in ENI mode here, on nodes without the VPC CNI: there is nothing that it could be chained on.',
        todo: chained ? 'Keep strategy: chain, or go back first, which replaces every node: ciliate rollback -f SPEC (with strategy: chain), then start with this one.' : 'Set strategy back to what it was, or roll back first: ciliate rollback -f SPEC --plan',
      }),
    ];
  },
};
