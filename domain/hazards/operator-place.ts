import type { Hazard } from '../findings.js';
import type { ObservedNode, Taint } from '../observation.js';
import { inScope, toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { isSet, minorOf } from './values.js';

/** What the operator tolerates by itself from 1.18 on; before it tolerated everything. */
const TOLERATED = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
  'node.kubernetes.io/not-ready',
  'node.cloudprovider.kubernetes.io/uninitialized',
  'node.cilium.io/agent-not-ready',
];

/**
 * The operator is the only one that calls EC2: while it has no place, a new node gets no addresses and stays not ready, and
 * without a new node the operator has no place.
 */
export const operatorPlace: Hazard = {
  id: 'operator-place',
  title: 'cilium-operator has nowhere to go while a node is replaced',
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const { version, values } = manifest.spec.cilium;
    const tolerant = minorOf(version) < 18 || isSet(values, 'operator.tolerations');
    const places = inScope(cluster).filter((node) => tolerant || !blocked(node));
    if (places.length >= 2) return [];
    return [
      finding(this.id, 'blocker', {
        objects: places.map((node) => `Node ${node.name}`),
        message:
          inScope(cluster).length < 2
            ? 'A one-node cluster: draining its node takes the operator away, and the replacement waits for the operator.'
            : `Taints leave the operator ${places.length} of ${inScope(cluster).length} nodes: draining that one takes it away, and the replacement waits for it.`,
        todo: 'Raise the desired capacity by one first (the new node is migrated too), or set operator.tolerations in spec.cilium.values.',
      }),
    ];
  },
};

function blocked(node: ObservedNode): boolean {
  return node.taints.some((taint: Taint) => taint.effect !== 'PreferNoSchedule' && !TOLERATED.includes(taint.key));
}
