import { CiliateError } from '../failures.js';
import { matchesSelector } from '../kubernetes/labelSelector.js';
import { leftOutText } from '../kubernetes/leftOut.js';
import { nextOf } from '../kubernetes/nodeOrder.js';
import type { Candidate } from '../kubernetes/nodeOrder.js';
import { parseSelector } from '../kubernetes/selectorText.js';
import { CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import type { ObservedCluster, ObservedNode, PodName } from '../observation.js';
import type { NodeRef } from '../plan.js';
import type { Strategy } from '../spec/words.js';

/**
 * Where a node stands in the migration. `pending`: no agent yet, so its CNI is decided by where aws-node may go.
 * `gone`: its instance is terminated or on its way, only the Node is left. `left-alone`: it would be refreshed, were it not for
 * refresh.leaveAlone.
 */
export type NodeStanding =
  | { as: 'refresh'; ref: NodeRef }
  | { as: 'left-alone'; ref: NodeRef }
  | { as: 'unplaced'; missing: ('instance' | 'group' | 'zone')[] }
  | { as: 'cilium' }
  | { as: 'pending' }
  | { as: 'gone' }
  | { as: 'both' }
  | { as: 'left-out'; why: string };

/** What becomes of one node, from what runs on it and not from where a script once was. */
export function standing(node: ObservedNode): NodeStanding {
  if (node.leftOut !== undefined) return { as: 'left-out', why: leftOutText(node.leftOut) };
  const labelled = node.labels[CNI_LABEL] === CNI_LABEL_AWS;
  if (isGone(node, labelled)) return { as: 'gone' };
  if (node.cni === 'both') return { as: 'both' };
  if (node.cni === 'cilium') return labelled ? { as: 'both' } : { as: 'cilium' };
  // The agent may just restart: a CiliumNode says that it was there.
  if (node.cni === 'none' && !labelled) return { as: node.hasCiliumNode ? 'cilium' : 'pending' };
  const { instanceId, group, zone } = node;
  if (instanceId === undefined || group === undefined || zone === undefined) {
    const missing: ('instance' | 'group' | 'zone')[] = [];
    if (instanceId === undefined) missing.push('instance');
    if (group === undefined) missing.push('group');
    if (zone === undefined) missing.push('zone');
    return { as: 'unplaced', missing };
  }
  return { as: node.leftAlone === true ? 'left-alone' : 'refresh', ref: { name: node.name, uid: node.uid, instanceId, group, zone } };
}

/** The cluster with the nodes marked that `refresh.leaveAlone` selects; the selector was checked when the spec was read. */
export function markLeftAlone(cluster: ObservedCluster, leaveAlone: string | undefined): ObservedCluster {
  if (leaveAlone === undefined) return cluster;
  const read = parseSelector(leaveAlone);
  if ('problem' in read) {
    throw new CiliateError('Permanent', { object: 'refresh.leaveAlone', expected: `a label selector with ${read.problem}`, seen: leaveAlone, todo: 'Correct it in the spec and start again.' });
  }
  const isSelected = ({ labels }: ObservedNode): boolean => matchesSelector({ matchExpressions: read.requirements }, labels);
  return { ...cluster, nodes: cluster.nodes.map((node) => (isSelected(node) ? { ...node, leftAlone: true } : node)) };
}

/** Nodes that stay on their CNI because of refresh.leaveAlone, by name. */
export function leftAloneOf(cluster: ObservedCluster): NodeRef[] {
  return cluster.nodes
    .flatMap((node) => {
      const found = standing(node);
      return found.as === 'left-alone' ? [found.ref] : [];
    })
    .sort((a, b) => compareText(a.name, b.name));
}

/** EC2 forgets a terminated instance after about an hour; then only our label tells it from one in another region or account. */
function isGone({ ready, instanceState }: ObservedNode, labelled: boolean): boolean {
  if (instanceState === 'terminated' || instanceState === 'shutting-down') return true;
  return labelled && !ready && instanceState === 'unknown';
}

/** Nodes that this migration is about: Linux nodes on instances of one's own, which are there. */
export function inScope(cluster: ObservedCluster): ObservedNode[] {
  return cluster.nodes.filter((node) => node.leftOut === undefined && standing(node).as !== 'gone');
}

/** Nodes that still have to be replaced. */
export function toRefresh(cluster: ObservedCluster): NodeRef[] {
  return candidates(cluster).map(({ ref }) => ref);
}

/** Why a run ends after the refresh. */
export function leftAloneText(count: number): string {
  return count === 1 ? '1 node is left alone' : `${count} nodes are left alone`;
}

/** Those of the pods that have to leave their node, or may have to: one without a node will get one. None where no node goes. */
export function onNodesThatGo<P extends PodName>(cluster: ObservedCluster, pods: readonly P[]): P[] {
  const going = new Set(toRefresh(cluster).map(({ name }) => name));
  return going.size === 0 ? [] : pods.filter(({ node }) => node === undefined || going.has(node));
}

/** Pods that have to move: those of the nodes that go, or with `chain` all that the VPC CNI has networked. */
export function podsThatMove(cluster: ObservedCluster, strategy: Strategy): number {
  const nodes = inScope(cluster).filter((node) => strategy === 'chain' || standing(node).as === 'refresh');
  return nodes.reduce((sum, { load }) => sum + load.addresses, 0);
}

/**
 * How each node ends, in words: what its pool's driver says, else a termination in its Auto Scaling group.
 *
 * @param then what follows a termination
 */
export function endsOf(cluster: ObservedCluster, nodes: readonly NodeRef[], then = ''): string[] {
  const ends = new Map(cluster.nodes.map((node) => [node.uid, node.ends]));
  return nodes.map(({ name, uid, instanceId, group }) => `Node ${name}: cordoned, drained, ${ends.get(uid) ?? `instance ${instanceId} terminated in ${group}${then}`}`);
}

/** The order of refresh: what nextOf would choose each time, were nothing else to change meanwhile. */
export function orderNodes(candidates: readonly Candidate[]): NodeRef[] {
  let left = [...candidates];
  const ordered: NodeRef[] = [];
  for (let next = nextOf(left); next !== null; next = nextOf(left)) {
    const chosen = next;
    ordered.push(chosen);
    left = left.filter(({ ref }) => ref !== chosen);
  }
  return ordered;
}

/** Nodes that still have to be replaced, with what decides their order. */
export function candidates(cluster: ObservedCluster): Candidate[] {
  return cluster.nodes.flatMap((node) => {
    const found = standing(node);
    return found.as === 'refresh' ? [{ ref: found.ref, hostsOperator: node.hostsOperator, created: Date.parse(node.created) || 0 }] : [];
  });
}

/** By code unit: the same on every machine, unlike localeCompare. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
