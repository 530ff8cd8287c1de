import { CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import type { NodeSelectorRequirement } from '../kubernetes/nodeAffinity.js';

/** Keeps a pod off the nodes where aws-node runs. It also matches nodes without the label. */
export const NOT_ON_AWS_NODES: NodeSelectorRequirement = { key: CNI_LABEL, operator: 'NotIn', values: [CNI_LABEL_AWS] };

/** What confines aws-node to the nodes that were labelled. */
export const ON_AWS_NODES: NodeSelectorRequirement = { key: CNI_LABEL, operator: 'In', values: [CNI_LABEL_AWS] };

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
