import type { Hazard, HazardInput } from '../findings.js';
import type { ObservedNode } from '../observation.js';
import { inScope } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';
import { valueAt } from './values.js';

/** A /28 prefix in the place of one address. */
const PREFIX = 16;
/** Pods in the network of the host that every node has (the 2 of EKS's own formula). */
const HOST_NETWORK = 2;

/** How many pods a node can hold on Cilium: the kubelet admits pods by its own figure, addresses or not. */
export function podCapacity(input: HazardInput, node: ObservedNode): number | null {
  const type = node.instanceType === undefined ? undefined : input.cluster.instanceTypes[node.instanceType];
  if (type === undefined) return null;
  const { values } = input.manifest.spec.cilium;
  const first = Number(valueAt(values, 'eni.nodeSpec.firstInterfaceIndex') ?? valueAt(values, 'eni.firstInterfaceIndex') ?? 0);
  // The first address of each interface is the interface's own.
  const slots = Math.max(0, type.maxEnis - first) * (type.ipv4PerEni - 1);
  return slots * (prefixDelegation(input) ? PREFIX : 1) + HOST_NETWORK;
}

/** On in the values, or carried over from aws-node or from the Cilium that is already there. */
export function prefixDelegation({ cluster, manifest }: HazardInput): boolean {
  const asked = valueAt(manifest.spec.cilium.values, 'eni.awsEnablePrefixDelegation');
  if (typeof asked === 'boolean') return asked;
  const running = cluster.cilium?.release?.ours === true ? cluster.cilium.config?.prefixDelegation : null;
  return running ?? cluster.awsNode?.env['ENABLE_PREFIX_DELEGATION']?.toLowerCase() === 'true';
}

export const maxPods: Hazard = {
  id: 'max-pods',
  title: "More max-pods than Cilium's interfaces have addresses for",
  strategies: REPLACES_NODES,
  check(input) {
    const over = inScope(input.cluster).flatMap((node) => {
      const capacity = podCapacity(input, node);
      return capacity !== null && node.maxPods > capacity ? [{ node, capacity }] : [];
    });
    if (over.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: over.map(({ node, capacity }) => `Node ${node.name} (${node.instanceType ?? '?'}: ${node.maxPods} max-pods, room for ${capacity})`),
        message: 'The kubelet would admit more pods than there are addresses; the rest would hang in ContainerCreating.',
        todo: prefixDelegation(input)
          ? 'Lower max-pods in the launch template to what the instance type carries.'
          : 'Set eni.awsEnablePrefixDelegation: true in spec.cilium.values (Nitro instances), or lower max-pods in the launch template.',
      }),
    ];
  },
};

export const instanceTypeUnknown: Hazard = {
  id: 'instance-type-unknown',
  title: 'How many addresses an instance type carries is not known',
  strategies: REPLACES_NODES,
  check(input) {
    const unknown = inScope(input.cluster).filter((node) => podCapacity(input, node) === null);
    if (unknown.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: unknown.map((node) => `Node ${node.name} (${node.instanceType ?? 'no type'})`),
        message: 'EC2 did not tell the limits of the type (ec2:DescribeInstanceTypes), so max-pods could not be compared with them.',
        todo: 'Compare max-pods of these nodes with interfaces x (addresses - 1) + 2 of the type.',
      }),
    ];
  },
};
