import { V1_12 } from './v1_12.js';
import type { ChartProfile } from './profile.js';

/**
 * Cilium 1.14 (checked against chart 1.14.19): `routingMode` arrives and `tunnel` is deprecated, kubeProxyReplacement becomes
 * true or false, and a DaemonSet of Envoy can be had with `envoy.enabled`.
 */
export const V1_14: ChartProfile = {
  ...V1_12,
  minors: [14, 14],
  routing: { path: 'routingMode', value: 'native', configKey: 'routing-mode' },
  foreignRouting: { path: 'tunnel', why: 'it is deprecated in 1.14 beside routingMode, which is set to native' },
  kubeProxyReplacementOff: 'false',
  envoyDaemonSet: 'optional',
  heldBack: [...V1_12.heldBack, 'authentication.mutual.spire.enabled'],
  extra: {},
};
