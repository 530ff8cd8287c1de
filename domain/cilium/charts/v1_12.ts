import { HELD_BACK } from './profile.js';
import type { ChartProfile } from './profile.js';

/**
 * Cilium 1.12 and 1.13 (checked against charts 1.12.4, 1.12.19, 1.13.18).
 *
 * - `routingMode` is silently ignored: the cluster would run VXLAN. `tunnel: disabled` it is, as in the article.
 * - `eni.updateEC2AdapterLimitViaAPI` is false by default: an instance type newer than the release has no known limits and its
 *   node never gets an address. True is the default from 1.14 on; it needs ec2:DescribeInstanceTypes.
 */
export const V1_12: ChartProfile = {
  minors: [12, 13],
  routing: { path: 'tunnel', value: 'disabled', configKey: 'tunnel' },
  foreignRouting: { path: 'routingMode', why: 'charts before 1.14 ignore it without a word and tunnel (VXLAN)' },
  kubeProxyReplacementOff: 'disabled',
  envoyDaemonSet: 'never',
  operatorTolerates: 'everything',
  heldBack: [...HELD_BACK, 'externalWorkloads.enabled'],
  extra: { eni: { updateEC2AdapterLimitViaAPI: true } },
};
