import type { Hazard } from '../findings.js';
import { inScope } from '../plan/nodes.js';
import { interfaceFamily } from '../masquerade.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

/** systemd-networkd or NetworkManager may run DHCP on the interfaces that Cilium attaches: a second default route, a lost node. */
export const managedInterfaces: Hazard = {
  id: 'managed-interfaces',
  title: "The operating system may manage Cilium's interfaces",
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const nodes = inScope(cluster).filter((node) => /ubuntu|fedora|red hat|rocky|alma|debian|flatcar/i.test(node.osImage));
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: [...new Set(nodes.map((node) => node.osImage))],
        message: 'These systems run DHCP on every new network interface: a second default route appears and the node goes NotReady.',
        todo: 'Mark secondary interfaces unmanaged in the user data of the launch template (Cilium docs, "AWS ENI", Node Configuration).',
      }),
    ];
  },
};

export const mixedImages: Hazard = {
  id: 'mixed-os-images',
  title: 'Nodes run operating systems that name interfaces differently',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const nodes = inScope(cluster);
    if (new Set(nodes.map(interfaceFamily)).size < 2) return [];
    return [
      finding(this.id, 'info', {
        objects: [...new Set(nodes.map((node) => node.osImage))],
        message: 'egressMasqueradeInterfaces is one name or prefix for the whole cluster; on nodes where it fits nothing, nothing is source-NATed.',
        todo: 'Bring all groups to one operating system first if pods need source NAT.',
      }),
    ];
  },
};
