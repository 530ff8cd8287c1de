import type { Hazard } from '../findings.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';
import { prefixDelegation } from './max-pods.js';

/** Cilium's pre-allocate, the router's and the health endpoint's address, and the instance's own. */
const FIRST_NODE = 8 + 2 + 1;
/** Prefixes are taken whole, 16 addresses side by side each. */
const FIRST_NODE_PREFIXES = 16 + 1;

/** By zone: an interface takes its addresses from a subnet of its instance's zone. */
export const subnetAddresses: Hazard = {
  id: 'subnet-addresses',
  title: 'Too few free addresses in the subnets of a zone',
  strategies: REPLACES_NODES,
  check(input) {
    const { cluster } = input;
    const need = prefixDelegation(input) ? FIRST_NODE_PREFIXES : FIRST_NODE;
    const zones = [...new Set(toRefresh(cluster).map((node) => node.zone))];
    const short = zones.flatMap((zone) => {
      const subnets = cluster.subnets.filter((subnet) => subnet.zone === zone);
      if (subnets.length === 0) return [];
      // One interface lives in one subnet: the roomiest must carry the node, their sum says nothing.
      const free = Math.max(...subnets.map((subnet) => subnet.availableIps));
      return free < need ? [`${zone}: ${subnets.map((subnet) => `${subnet.id} has ${subnet.availableIps} free`).join(', ')}`] : [];
    });
    if (short.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: short,
        message: `A new node takes ${need} addresses before its first pod. Addresses of an old node come back only some time after it is terminated.`,
        todo: 'Free addresses (stopped load balancers, left-over interfaces), or add a subnet or a secondary CIDR to these zones.',
      }),
    ];
  },
};
