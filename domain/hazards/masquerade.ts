import type { Hazard } from '../findings.js';
import { decideMasquerade, isDecided } from '../masquerade.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const masqueradeUndecided: Hazard = {
  id: 'masquerade-undecided',
  title: 'Whether and where to source-NAT cannot be decided',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const decision = decideMasquerade(cluster, manifest.spec.cilium);
    if (isDecided(decision)) return [];
    return [
      finding(this.id, 'blocker', {
        objects: ['spec.cilium.masquerade'],
        message: `${decision.undecided[0]?.toUpperCase() ?? ''}${decision.undecided.slice(1)}. A wrong guess silently cuts the pods of new nodes off the internet, or shows other addresses to peers and firewalls.`,
        todo: decision.todo,
      }),
    ];
  },
};

/** Without source NAT a pod's own address must be able to leave the VPC: not through an internet gateway, which knows only public ones. */
export const masqueradePublicSubnet: Hazard = {
  id: 'masquerade-public-subnet',
  title: 'Pods on public-subnet nodes would have no way to the internet',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const decision = decideMasquerade(cluster, manifest.spec.cilium);
    if (!isDecided(decision) || decision.enabled) return [];
    const open = cluster.subnets.filter((subnet) => subnet.route === 'internet-gateway');
    if (open.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: open.map((subnet) => `Subnet ${subnet.id} (${subnet.zone})`),
        message: `Masquerading is off (${decision.why}) and these node subnets lead to an internet gateway, which drops packets from pod addresses.`,
        todo: 'Route these subnets through a NAT gateway, or set spec.cilium.masquerade: true, unless pods there need no internet.',
      }),
    ];
  },
};
