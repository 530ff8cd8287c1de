import { keepsOwnNetwork } from '../kubernetes/leftOut.js';
import type { ObservedCluster } from '../observation.js';
import type { MasqueradeDecision } from '../plan.js';
import { minor } from './charts/index.js';
import { isGroupTaint } from './tolerations.js';

/** What the values depend on besides the spec: read from the cluster once, kept in the plan, so that it never changes under way. */
export interface ValuesFacts {
  masquerade: { enabled: boolean; /** egressMasqueradeInterfaces, e.g. `eth0` or `ens+`. */ interfaces?: string };
  /** 1 on a cluster where only one node can run the operator: its replicas exclude each other by host. */
  operatorReplicas: 1 | 2;
  /** aws-node had ENABLE_PREFIX_DELEGATION: kubelet's max-pods are beyond the ENI slots (kops#16064, cilium#21196). */
  prefixDelegation: boolean;
  /** Keys of the taints that node groups put on their nodes, for the operator to tolerate. */
  operatorTaintKeys: string[];
  /** Minor that was installed first, such as `1.18`, where Cilium of ours is there already; else the chart's own minor. */
  firstMinor?: string;
  /** API server without kube-proxy in between; only where the caller wants it. Host without scheme, port 443. */
  eksEndpoint?: { host: string; port: number };
}

/** The facts of an observed cluster. Fargate, Windows, hybrid and Auto Mode nodes cannot run the operator. */
export function valuesFacts(cluster: ObservedCluster, masquerade: MasqueradeDecision): ValuesFacts {
  const hosts = cluster.nodes.filter((node) => !keepsOwnNetwork(node));
  const keys = hosts.flatMap((node) => node.taints.map(({ key }) => key)).concat(groupTaintKeys(cluster));
  const installed = cluster.cilium?.release?.ours === true ? cluster.cilium.release.chartVersion : undefined;
  const firstMinor = installed === undefined || Number.isNaN(minor(installed)) ? undefined : `1.${minor(installed)}`;
  return {
    masquerade: { enabled: masquerade.enabled, ...(masquerade.interfaces === undefined ? {} : { interfaces: masquerade.interfaces }) },
    operatorReplicas: hosts.length > 1 ? 2 : 1,
    prefixDelegation: cluster.cilium?.config?.prefixDelegation ?? cluster.awsNode?.env['ENABLE_PREFIX_DELEGATION']?.toLowerCase() === 'true',
    operatorTaintKeys: [...new Set(keys)].filter(isGroupTaint).sort(),
    ...(firstMinor === undefined ? {} : { firstMinor }),
  };
}

function groupTaintKeys(cluster: ObservedCluster): string[] {
  return [...(cluster.eks?.nodegroups ?? []), ...cluster.nodePools].flatMap(({ taints }) => taints.map(({ key }) => key));
}
