import { V1_16 } from './v1_16.js';
import type { ChartProfile } from './profile.js';

/**
 * Cilium 1.18 (checked against chart 1.18.12): in ENI mode `enableIPv4Masquerade` is false unless it is set, hence always set
 * here; cilium-operator tolerates only the control plane's and start-up taints, which shuts it out of tainted node groups.
 */
export const V1_18: ChartProfile = {
  ...V1_16,
  minors: [18, 18],
  operatorTolerates: 'few',
  heldBack: V1_16.heldBack.filter((path) => path !== 'externalWorkloads.enabled'),
};
