import { CILIUM_LABEL, CILIUM_LABEL_CILIUM, CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import { affinityKeys, hasInEveryTerm, replaceInEveryTerm } from '../kubernetes/nodeAffinity.js';
import type { Affinity, NodeSelectorRequirement } from '../kubernetes/nodeAffinity.js';

/** Keeps a pod off the nodes where aws-node runs. It also matches nodes without the label. */
export const NOT_ON_AWS_NODES: NodeSelectorRequirement = { key: CNI_LABEL, operator: 'NotIn', values: [CNI_LABEL_AWS] };

/** What confines aws-node to the nodes that were labelled. */
export const ON_AWS_NODES: NodeSelectorRequirement = { key: CNI_LABEL, operator: 'In', values: [CNI_LABEL_AWS] };

/** On the way back: what confines Cilium to the nodes that run it. A node that joins does not carry the label. */
export const ON_CILIUM_NODES: NodeSelectorRequirement = { key: CILIUM_LABEL, operator: 'In', values: [CILIUM_LABEL_CILIUM] };

/** On the way back: what keeps aws-node off them. With {@link ON_CILIUM_NODES} no node can have both, whatever its labels are. */
export const NOT_ON_CILIUM_NODES: NodeSelectorRequirement = { key: CILIUM_LABEL, operator: 'NotIn', values: [CILIUM_LABEL_CILIUM] };

/**
 * Nodes that keep a network of their own: Fargate, hybrid, Auto Mode. The same exclusion stands in aws-node's stock affinity
 * (aws/amazon-vpc-cni-k8s config/master/aws-k8s-cni.yaml); agent and Envoy tolerate everything and would wait there for ever.
 */
export const NOT_ON_OTHER_COMPUTE: NodeSelectorRequirement = {
  key: 'eks.amazonaws.com/compute-type',
  operator: 'NotIn',
  values: ['fargate', 'hybrid', 'auto'],
};

/** The chart's own default for cilium-envoy; lists replace, so it is repeated. */
export const ENVOY_DEFAULT: NodeSelectorRequirement = { key: 'cilium.io/no-schedule', operator: 'NotIn', values: ['true'] };

/** aws-node's affinity while the migration goes on: what the way back had put there goes in the same write. */
export function confinedToAwsNodes(affinity: Affinity | null | undefined): Affinity {
  return replaceInEveryTerm(affinity, CILIUM_LABEL, ON_AWS_NODES);
}

/** aws-node's affinity on the way back: new nodes get it, the marked ones of Cilium do not. */
export function offCiliumNodes(affinity: Affinity | null | undefined): Affinity {
  return replaceInEveryTerm(affinity, CNI_LABEL, NOT_ON_CILIUM_NODES);
}

/** Whether aws-node is confined as {@link offCiliumNodes} does it, and by nothing of the migration any more. */
export function isOffCiliumNodes(affinity: Affinity | null | undefined): boolean {
  return hasInEveryTerm(affinity, NOT_ON_CILIUM_NODES) && !affinityKeys(affinity).includes(CNI_LABEL);
}

/** Whether somebody of ours changed it, either way. */
export function isChanged(affinity: Affinity | null | undefined): boolean {
  return affinityKeys(affinity).some((key) => key === CNI_LABEL || key === CILIUM_LABEL);
}
