import { CILIUM, CNI_LABEL, CNI_LABEL_AWS } from '../names.js';
import type { Direction } from './direction.js';

/** The migration: nodes labelled `cni-plugin=aws` are replaced by nodes on Cilium. */
export const toCilium: Direction = {
  toward: 'cilium',
  label: { key: CNI_LABEL, value: CNI_LABEL_AWS },
  agent: CILIUM,
  sharedByOld: false,
  count: { old: 'aws', fresh: 'cilium' },
  proven: 'is Ready on Cilium, with IPs, without aws-node',
  needsOperator: true,
};
