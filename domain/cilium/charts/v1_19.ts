import { V1_18 } from './v1_18.js';
import type { ChartProfile } from './profile.js';

/**
 * Cilium 1.19 (checked against chart 1.19.6): nodePort.enabled, hostPort.enabled and the like are gone, ENI implies native routing,
 * and a hook Job of the MCS API may run on the pod network.
 */
export const V1_19: ChartProfile = {
  ...V1_18,
  minors: [19, 19],
  heldBack: [...V1_18.heldBack, 'clustermesh.mcsapi.corednsAutoConfigure.enabled'],
};
