import type { Hazard } from '../findings.js';
import { finding, podNames } from './finding.js';
import { valueAt } from './values.js';

/** The VPC CNI's configuration carries portmap; Cilium does hostPort only with portmap or without kube-proxy. */
export const hostPort: Hazard = {
  id: 'host-port',
  title: 'Pods with a hostPort, and nothing that would serve it',
  check({ cluster, manifest }) {
    if (cluster.pods.hostPort.length === 0) return [];
    const { values } = manifest.spec.cilium;
    const replacement = String(valueAt(values, 'kubeProxyReplacement') ?? '');
    if (valueAt(values, 'cni.chainingMode') === 'portmap' || ['true', 'strict', 'partial'].includes(replacement)) return [];
    return [
      finding(this.id, 'blocker', {
        objects: podNames(cluster.pods.hostPort),
        message: 'On a Cilium node their hostPort would answer nobody, though the pods look healthy (node-local DNS, ingress controllers).',
        todo: 'Set cni.chainingMode: portmap in spec.cilium.values, or move these pods to hostNetwork or a Service.',
      }),
    ];
  },
};
