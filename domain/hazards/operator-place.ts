import type { Hazard } from '../findings.js';
import type { Toleration } from '../cilium/objects.js';
import { OPERATOR_TOLERATIONS, isGroupTaint, toleratesEverything, toleratesKey } from '../cilium/tolerations.js';
import { keepsOwnNetwork } from '../kubernetes/leftOut.js';
import type { ObservedCluster, ObservedNode } from '../observation.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';
import { valueAt } from './values.js';

/**
 * The operator is the only one that calls EC2: while it has no place, a new node gets no addresses and stays not ready, and
 * without a new node the operator has no place.
 */
export const operatorPlace: Hazard = {
  id: 'operator-place',
  title: 'cilium-operator has nowhere to go while a node is replaced',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const tolerant = toleratesEverything(valueAt(manifest.spec.cilium.values, 'operator.tolerations') as Toleration[] | undefined);
    const places = hosts(cluster).filter((node) => tolerant || !blocked(node));
    if (places.length >= 2) return [];
    return [
      finding(this.id, 'blocker', {
        objects: places.map((node) => `Node ${node.name}`),
        message:
          hosts(cluster).length < 2
            ? 'A one-node cluster: draining its node takes the operator away, and the replacement waits for the operator.'
            : `Cordons and the like leave the operator ${places.length} of ${hosts(cluster).length} nodes: draining that one takes it away, and the replacement waits for it.`,
        todo: 'Raise the desired capacity by one first (the new node is migrated too), or uncordon and mend the other nodes.',
      }),
    ];
  },
};

/** What nothing could end is not refreshed, but the operator can run there. */
function hosts(cluster: ObservedCluster): ObservedNode[] {
  return cluster.nodes.filter((node) => !keepsOwnNetwork(node));
}

/** Taints of a node group are tolerated (the values see to that); those of a node on its way out are not. */
function blocked(node: ObservedNode): boolean {
  return node.taints.some(({ key, effect }) => effect !== 'PreferNoSchedule' && !isGroupTaint(key) && !toleratesKey([...OPERATOR_TOLERATIONS], key));
}
