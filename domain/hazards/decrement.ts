import type { Hazard } from '../findings.js';
import type { ObservedCluster, ObservedNode } from '../observation.js';
import { standing, toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const decrementMinSize: Hazard = {
  id: 'decrement-min-size',
  title: 'shouldDecrementDesiredCapacity would take a group below its MinSize',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    if (!manifest.spec.refresh.shouldDecrementDesiredCapacity) return [];
    const refs = toRefresh(cluster);
    const below = cluster.groups.flatMap((group) => {
      const going = refs.filter((node) => node.group === group.name).length;
      const left = group.desiredCapacity - going;
      return going > 0 && left < group.minSize ? [`Auto Scaling group ${group.name} (${group.desiredCapacity} - ${going} < MinSize ${group.minSize})`] : [];
    });
    if (below.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: below,
        message: 'Auto Scaling refuses a termination with decrement below MinSize: the migration would stop in the middle of the group.',
        todo: 'Lower MinSize, or leave spec.refresh.shouldDecrementDesiredCapacity false.',
      }),
    ];
  },
};

export const decrementCapacity: Hazard = {
  id: 'decrement-capacity',
  title: 'What remains after shouldDecrementDesiredCapacity cannot carry the workloads',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    if (!manifest.spec.refresh.shouldDecrementDesiredCapacity || toRefresh(cluster).length === 0) return [];
    const lacking = shortage(cluster);
    if (lacking.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: lacking,
        message: 'No node replaces the ones that go, so their pods must fit on the Cilium nodes that are there: they would stay Pending.',
        todo: 'Leave spec.refresh.shouldDecrementDesiredCapacity false for now. Once Cilium is there (start, and abort at after-canary), scale the group up: its new nodes come up on Cilium; then start with it.',
      }),
    ];
  },
};

/** Sums, not a packing: what fails here fails for certain. */
function shortage(cluster: ObservedCluster): string[] {
  const staying = cluster.nodes.filter((node) => standing(node).as === 'cilium' && !node.unschedulable);
  const going = cluster.nodes.filter((node) => standing(node).as === 'refresh');
  const sum = (nodes: ObservedNode[], of: (node: ObservedNode) => number): number => nodes.reduce((total, node) => total + of(node), 0);
  const rows: [string, number, number][] = [
    ['pods', sum(going, (node) => node.load.addresses), sum(staying, (node) => node.maxPods - node.load.pods)],
    ['milli-CPUs', sum(going, (node) => node.load.cpu), sum(staying, (node) => node.allocatable.cpu - node.load.cpu)],
    ['bytes of memory', sum(going, (node) => node.load.memory), sum(staying, (node) => node.allocatable.memory - node.load.memory)],
  ];
  const lacking = rows.filter(([, wanted, free]) => wanted > free).map(([what, wanted, free]) => `${wanted} ${what} to move, ${Math.max(0, free)} free`);
  return staying.length === 0 ? ['no node is on Cilium yet', ...lacking] : lacking;
}
