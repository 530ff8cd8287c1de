import { autoScalingGroup } from './autoScalingGroup.js';
import type { ReplacementDriver } from './driver.js';
import { karpenter } from './karpenter.js';
import { managedNodeGroup } from './managedNodeGroup.js';

/** The registry: a new kind is its file and its line here. The first that owns a pool drives it; the last one owns what is left. */
export const DRIVERS: readonly ReplacementDriver[] = [karpenter, managedNodeGroup, autoScalingGroup];
