import { V1_15 } from './v1_15.js';
import type { ChartProfile } from './profile.js';

/**
 * Cilium 1.16 and 1.17 (checked against charts 1.16.19, 1.17.18): cilium-envoy is a DaemonSet of its own by default. It ignores
 * the agent's affinity, so without one of its own a pod waits for ever on every aws-node node.
 */
export const V1_16: ChartProfile = {
  ...V1_15,
  minors: [16, 17],
  envoyDaemonSet: 'default',
};
