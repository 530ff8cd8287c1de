import { AWS_NODE, CILIUM_LABEL, CILIUM_LABEL_CILIUM } from '../names.js';
import type { Direction } from './direction.js';

/** The way back: nodes labelled `ciliate.io/cni=cilium` are replaced by nodes on aws-node. */
export const toAwsNode: Direction = {
  toward: 'aws-node',
  label: { key: CILIUM_LABEL, value: CILIUM_LABEL_CILIUM },
  agent: AWS_NODE,
  sharedByOld: false,
  count: { old: 'cilium', fresh: 'aws' },
  proven: 'is Ready on aws-node, without Cilium',
  needsOperator: false,
};
