import type { Finding, Hazard } from '../findings.js';
import { finding, podNames } from './finding.js';
import { REPLACES_NODES } from './strategies.js';
import { valueAt } from './values.js';

const TODO_PLUGIN = 'Put /opt/cni/bin/portmap on new nodes, by their image or user data';

/**
 * Beside kube-proxy Cilium serves a hostPort by chaining the portmap plugin. Neither Cilium nor every EKS image brings it: aws-node's
 * init container does, which a new node never runs. Chained where it is missing, no pod of the node starts at all, so the values
 * chain it only at the user's word.
 *
 * https://github.com/cilium/cilium/pull/41300, https://github.com/awslabs/amazon-eks-ami/issues/1677 (Amazon Linux 2023),
 * https://github.com/aws/amazon-vpc-cni-k8s/pull/2355
 */
export const hostPort: Hazard = {
  id: 'host-port',
  title: 'Pods with a hostPort, and nothing that surely serves it',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const objects = podNames(cluster.pods.hostPort);
    const mode = valueAt(manifest.spec.cilium.values, 'cni.chainingMode');
    if (mode === 'portmap') return [chained(objects)];
    if (objects.length === 0) return [];
    return mode === 'none' ? [givenUp(objects)] : [undecided(objects)];
  },
};

function chained(objects: string[]): Finding {
  return finding(hostPort.id, 'warning', {
    objects,
    message: 'cni.chainingMode: portmap serves hostPorts by the portmap plugin. Where /opt/cni/bin/portmap is missing (Amazon Linux 2023 comes without; aws-node used to bring it), no pod of a new node starts.',
    todo: `${TODO_PLUGIN}, before the first is replaced.`,
  });
}

function givenUp(objects: string[]): Finding {
  return finding(hostPort.id, 'warning', {
    objects,
    message: 'On a Cilium node their hostPort answers nobody, as cni.chainingMode: none in the values accepts.',
    todo: 'See that nobody uses these ports.',
  });
}

function undecided(objects: string[]): Finding {
  return finding(hostPort.id, 'blocker', {
    objects,
    message: 'On a Cilium node their hostPort would answer nobody, though the pods look healthy (node-local DNS, ingress controllers): beside kube-proxy it takes the portmap plugin, which aws-node brought to its nodes and Cilium does not.',
    todo: `${TODO_PLUGIN}, and set cni.chainingMode: portmap in spec.cilium.values; or move these pods to hostNetwork or a Service; or set none where nobody uses the ports.`,
  });
}
