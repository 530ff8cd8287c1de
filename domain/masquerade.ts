import type { MasqueradeDecision } from './plan.js';
import type { ObservedCluster, ObservedNode } from './observation.js';
import type { CiliumSpec } from './spec/schema.js';

/** `auto` could not decide: why, and what to write into the spec instead. */
export interface MasqueradeUndecided {
  undecided: string;
  todo: string;
}

/** How the network interfaces of an operating system are named, as far as egressMasqueradeInterfaces is concerned. */
export type InterfaceFamily = 'eth0' | 'ens+' | 'unknown';

/**
 * Whether Cilium source-NATs pod traffic that leaves the VPC. `auto` keeps what the cluster does today: the VPC CNI's
 * AWS_VPC_K8S_CNI_EXTERNALSNAT decides, and where Cilium of ours is already installed its running configuration does, since a flip
 * under way would cut connections. Blocks (undecided) rather than guesses: a wrong interface name silently means no NAT at all
 * (cilium#17443).
 */
export function decideMasquerade(cluster: ObservedCluster, cilium: CiliumSpec): MasqueradeDecision | MasqueradeUndecided {
  if (cilium.masquerade === false) return { enabled: false, why: 'spec.cilium.masquerade is false' };
  if (cilium.masquerade === true) return enabled(cluster, cilium, 'spec.cilium.masquerade is true');

  const running = cluster.cilium?.release?.ours === true ? cluster.cilium.config : null;
  if (running !== null && running.masquerade !== null) {
    const why = 'kept as the installed Cilium has it';
    if (!running.masquerade) return { enabled: false, why };
    if (running.masqueradeInterfaces !== undefined) return { enabled: true, interfaces: running.masqueradeInterfaces, why };
    return enabled(cluster, cilium, why);
  }
  return decideFromAwsNode(cluster, cilium);
}

/** Whether a decision was made. */
export function isDecided(decision: MasqueradeDecision | MasqueradeUndecided): decision is MasqueradeDecision {
  return 'enabled' in decision;
}

/** AL2 and Bottlerocket name the first interface eth0; systemd's predictable names make it ens5 and the like elsewhere. */
export function interfaceFamily(node: Pick<ObservedNode, 'osImage'>): InterfaceFamily {
  const image = node.osImage.toLowerCase();
  if (image.includes('bottlerocket') || /^amazon linux( ami)? ?2$/.test(image.trim())) return 'eth0';
  if (/amazon linux 2023|ubuntu|fedora|red hat|rocky|alma|debian|flatcar/.test(image)) return 'ens+';
  if (image.startsWith('amazon linux 2')) return 'eth0';
  return 'unknown';
}

function decideFromAwsNode(cluster: ObservedCluster, cilium: CiliumSpec): MasqueradeDecision | MasqueradeUndecided {
  if (cluster.awsNode === null) {
    return {
      undecided: 'DaemonSet aws-node is not there to say whether pod traffic is source-NATed today',
      todo: 'Set spec.cilium.masquerade to true or false.',
    };
  }
  const { env } = cluster.awsNode;
  if (env['AWS_VPC_K8S_CNI_EXTERNALSNAT']?.toLowerCase() === 'true') {
    return { enabled: false, why: 'aws-node has AWS_VPC_K8S_CNI_EXTERNALSNAT=true: pods leave with their own address today' };
  }
  const excluded = env['AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS'] ?? '';
  if (excluded !== '' && !mapsExclusions(cilium)) {
    return {
      undecided: `aws-node source-NATs traffic except to ${excluded} (AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS); Cilium would NAT that too`,
      todo: 'Express the exclusion in spec.cilium.values (ipv4NativeRoutingCIDR or ipMasqAgent), or set spec.cilium.masquerade yourself.',
    };
  }
  return enabled(cluster, cilium, 'aws-node source-NATs what leaves the VPC today (AWS_VPC_K8S_CNI_EXTERNALSNAT is not true)');
}

function mapsExclusions(cilium: CiliumSpec): boolean {
  return cilium.values['ipv4NativeRoutingCIDR'] !== undefined || cilium.values['ipMasqAgent'] !== undefined;
}

function enabled(cluster: ObservedCluster, cilium: CiliumSpec, why: string): MasqueradeDecision | MasqueradeUndecided {
  if (cilium.masqueradeInterface !== undefined) {
    return { enabled: true, interfaces: cilium.masqueradeInterface, why: `${why}; interface from spec.cilium.masqueradeInterface` };
  }
  const nodes = cluster.nodes.filter((node) => node.leftOut === undefined);
  const families = new Map<InterfaceFamily, Set<string>>();
  for (const node of nodes) {
    const family = interfaceFamily(node);
    families.set(family, (families.get(family) ?? new Set()).add(node.osImage));
  }
  const [only] = families.keys();
  if (families.size === 1 && only !== undefined && only !== 'unknown') {
    const images = [...(families.get(only) ?? [])].sort().join(', ');
    return { enabled: true, interfaces: only, why: `${why}; interface ${only} as on ${images}` };
  }
  const images = [...families.values()].flatMap((set) => [...set]).sort();
  return {
    undecided:
      images.length === 0
        ? 'there is no node to tell the name of the first network interface from'
        : `one interface name cannot be told for the operating systems of the nodes: ${images.join(', ')}`,
    todo: 'Set spec.cilium.masqueradeInterface (a name or a prefix such as "ens+"), or spec.cilium.masquerade: false behind NAT gateways.',
  };
}
