/** Labels and names of Karpenter's API v1 (https://karpenter.sh/docs/concepts/). */
export const KARPENTER_GROUP = 'karpenter.sh';
/** On each of its Nodes and NodeClaims. */
export const NODEPOOL_LABEL = 'karpenter.sh/nodepool';
/** Of Karpenter before v1beta1, whose Machines are not driven. */
export const PROVISIONER_LABEL = 'karpenter.sh/provisioner-name';
/** No voluntary disruption: consolidation and drift wait. A change of spec.disruption is none of a node's: no drift comes of it. */
export const NO_DISRUPTION = [{ nodes: '0' }] as const;

const PREFIX = 'karpenter/';

/** What NodeRef.group says for a node of this NodePool: beside names of Auto Scaling groups. */
export function karpenterPool(nodePool: string): string {
  return `${PREFIX}${nodePool}`;
}

/** NodePool behind a NodeRef.group; undefined for an Auto Scaling group. */
export function nodePoolOf(group: string): string | undefined {
  return group.startsWith(PREFIX) ? group.slice(PREFIX.length) : undefined;
}

/** How people call the pool of a node: `ASG workers`, `NodePool default`. */
export function poolTitle(group: string): string {
  const nodePool = nodePoolOf(group);
  return nodePool === undefined ? `ASG ${group}` : `NodePool ${nodePool}`;
}
