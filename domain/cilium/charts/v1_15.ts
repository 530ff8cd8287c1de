import { V1_14 } from './v1_14.js';
import type { ChartProfile } from './profile.js';

/** Cilium 1.15 (checked against chart 1.15.19): `tunnel` is a template error. */
export const V1_15: ChartProfile = {
  ...V1_14,
  minors: [15, 15],
  foreignRouting: { path: 'tunnel', why: 'it was removed in chart 1.15, which refuses it; routingMode is set to native' },
};
