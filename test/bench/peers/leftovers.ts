import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { CoreV1Api } from '@kubernetes/client-node';
import type { Lab } from '../../../lab/index.js';
import { clusterState } from '../../support/clusterState.js';
import type { ClusterState } from '../../support/clusterState.js';
import { labAws, labKube } from '../../support/field.js';

/** What a cluster carries around that somebody may leave behind. */
export interface Baggage {
  state: ClusterState;
  nodes: number;
  /** Keys of labels and annotations on nodes, but for what kubelet and CNIs put there on every node. */
  marks: string[];
  tags: string[];
}

/** These come and go with the network itself. */
const OF_THE_NETWORK = /cilium\.io\/|^(kubernetes|node\.kubernetes|topology\.kubernetes|beta\.kubernetes|lab\.ciliate|volumes\.kubernetes|node\.alpha\.kubernetes)/;

export async function baggageOf(lab: Lab): Promise<Baggage> {
  const [state, nodes, groups] = await Promise.all([
    clusterState({ lab }),
    labKube(lab).makeApiClient(CoreV1Api).listNode(),
    labAws(lab, AutoScalingClient).send(new DescribeAutoScalingGroupsCommand({})),
  ]);
  const marks = nodes.items.flatMap((node) => [...Object.keys(node.metadata?.labels ?? {}), ...Object.keys(node.metadata?.annotations ?? {})]);
  const tags = (groups.AutoScalingGroups ?? []).flatMap((group) => (group.Tags ?? []).map((tag) => tag.Key ?? ''));
  return { state, nodes: nodes.items.length, marks: [...new Set(marks)].filter((key) => !OF_THE_NETWORK.test(key)).sort(), tags: [...new Set(tags)].sort() };
}

/** What is there and was not, and what was there and is not; empty when all was given back. */
export function leftovers(before: Baggage, after: Baggage): string[] {
  const { state } = after;
  const counted: [number, string][] = [
    [state.cordoned, 'nodes cordoned'],
    [state.taints.length, 'taints'],
    [state.orphans.length, 'instances leaked'],
    [Math.max(0, before.nodes - after.nodes), 'nodes short'],
    [Math.max(0, after.nodes - before.nodes), 'nodes too many'],
    [state.violations.length, 'CNI violations'],
    [state.killedPods, 'pods killed undrained'],
  ];
  const found = counted.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  found.push(...newIn(before.marks, after.marks).map((key) => `mark ${key} on nodes`), ...newIn(before.tags, after.tags).map((key) => `tag ${key}`));
  for (const group of state.groups) {
    const was = before.state.groups.find(({ name }) => name === group.name);
    if (group.suspended.length > 0) found.push(`${group.suspended.join(', ')} suspended`);
    for (const size of ['min', 'max', 'desired'] as const) if (was && was[size] !== group[size]) found.push(`${size} size ${was[size]} is ${group[size]}`);
  }
  if (state.agents.awsNode) found.push('aws-node');
  if (state.lease !== null) found.push('a Lease');
  if (state.guardsLedger) found.push('a ledger of guards');
  const down = Object.entries(state.workloads).filter(([name, ready]) => ready !== before.state.workloads[name] && before.state.workloads[name] !== undefined);
  found.push(...down.map(([name, ready]) => `${name} ${ready}`));
  return found;
}

function newIn(before: string[], after: string[]): string[] {
  return after.filter((key) => !before.includes(key));
}
