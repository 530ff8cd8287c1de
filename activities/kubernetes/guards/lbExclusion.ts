import { EXCLUDE_FROM_LB_LABEL } from '../../../domain/names.js';
import { nodeGuard } from './nodeGuard.js';

/** Load balancers stop sending to the node before its pods leave. */
export const lbExclusionGuard = nodeGuard({
  kind: 'lb-exclusion',
  set: 'node',
  ours: 'true',
  path: ['metadata', 'labels', EXCLUDE_FROM_LB_LABEL],
  read: (node) => node.metadata?.labels?.[EXCLUDE_FROM_LB_LABEL] ?? null,
  json: (value) => value,
});
