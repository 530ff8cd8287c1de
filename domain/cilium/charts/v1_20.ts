import { V1_19 } from './v1_19.js';
import type { ChartProfile } from './profile.js';

/** Cilium 1.20 (checked against chart 1.20.0): `ipam.mode: eni` without `eni.enabled` is an error, so both are always set. */
export const V1_20: ChartProfile = { ...V1_19, minors: [20, 20] };
