import type { Hazard } from '../findings.js';
import type { ObservedAwsNode } from '../observation.js';
import { finding } from './finding.js';

/** From here on Cilium can be chained on it (Cilium's documentation of aws-cni chaining). */
const FIRST = [1, 11, 2] as const;

export const vpcCniTooOld: Hazard = {
  id: 'vpc-cni-too-old',
  title: 'The VPC CNI is too old to chain on, or its version cannot be told',
  strategies: ['chain'],
  check({ cluster: { awsNode } }) {
    if (awsNode === null) return [];
    const seen = versionOf(awsNode);
    if (seen !== undefined && !isBefore(seen.numbers)) return [];
    const needed = FIRST.join('.');
    return [
      finding(this.id, seen === undefined ? 'warning' : 'blocker', {
        objects: [awsNode.managedBy === 'addon' ? 'EKS add-on vpc-cni' : 'DaemonSet kube-system/aws-node'],
        message:
          seen === undefined
            ? `Its version cannot be read from image ${awsNode.image}. Before ${needed} pods get no network when Cilium is chained.`
            : `It is ${seen.text}; Cilium chains on ${needed} and later.`,
        todo: seen === undefined ? `Make sure that it is ${needed} or later.` : `Update it to ${needed} or later first.`,
      }),
    ];
  },
};

/** Of the add-on (`v1.21.1-eksbuild.3`), or of the image's tag. */
export function versionOf({ addon, image }: Pick<ObservedAwsNode, 'addon' | 'image'>): { text: string; numbers: number[] } | undefined {
  const text = addon?.version ?? /:([^:@/]+)(@|$)/.exec(image)?.[1] ?? '';
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : { text, numbers: match.slice(1).map(Number) };
}

function isBefore(numbers: readonly number[]): boolean {
  const at = FIRST.findIndex((first, index) => (numbers[index] ?? 0) !== first);
  return at !== -1 && (numbers[at] ?? 0) < (FIRST[at] ?? 0);
}
