import type { ObservedNode } from '../observation.js';
import { NODEPOOL_LABEL, PROVISIONER_LABEL } from './karpenter.js';

/**
 * Why a node's networking is not ours to change, by the labels that EKS and Karpenter give it; undefined: it is.
 *
 * @param claimed a NodeClaim of Karpenter's API v1 owns its instance
 */
export function leftOutBy(labels: Readonly<Record<string, string>>, claimed: boolean): ObservedNode['leftOut'] {
  if (labels['kubernetes.io/os'] === 'windows') return 'windows';
  switch (labels['eks.amazonaws.com/compute-type']) {
    case 'fargate':
      return 'fargate';
    case 'hybrid':
      return 'hybrid';
    case 'auto':
      return 'auto-mode';
    default:
      return isKarpenters(labels) && !(claimed && labels[NODEPOOL_LABEL] !== undefined) ? 'karpenter' : undefined;
  }
}

function isKarpenters(labels: Readonly<Record<string, string>>): boolean {
  return labels[NODEPOOL_LABEL] !== undefined || labels[PROVISIONER_LABEL] !== undefined;
}
