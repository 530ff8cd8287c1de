/** Labels and names of Karpenter's API v1 (https://karpenter.sh/docs/concepts/). */
export const KARPENTER_GROUP = 'karpenter.sh';
/** On each of its Nodes and NodeClaims. */
export const NODEPOOL_LABEL = 'karpenter.sh/nodepool';
/** Of Karpenter before v1beta1, whose Machines are not driven. */
export const PROVISIONER_LABEL = 'karpenter.sh/provisioner-name';
/** No voluntary disruption: consolidation and drift wait. A change of spec.disruption is none of a node's: no drift comes of it. */
export const NO_DISRUPTION = [{ nodes: '0' }] as const;

const PREFIX = 'karpenter/';

/** What NodeRef.group says for a node of this NodePool: beside names of other kinds. */
export function karpenterPool(nodePool: string): string {
  return `${PREFIX}${nodePool}`;
}

/** NodePool behind a NodeRef.group; undefined for a pool of another kind. */
export function nodePoolOf(group: string): string | undefined {
  return group.startsWith(PREFIX) ? group.slice(PREFIX.length) : undefined;
}
