import { CiliateError } from '../../failures.js';
import type { ChartProfile } from './profile.js';
import { V1_12 } from './v1_12.js';
import { V1_14 } from './v1_14.js';
import { V1_15 } from './v1_15.js';
import { V1_16 } from './v1_16.js';
import { V1_18 } from './v1_18.js';
import { V1_19 } from './v1_19.js';
import { V1_20 } from './v1_20.js';

export type { ChartProfile } from './profile.js';

/** Every range of chart versions that is known. A new version is a new file and one entry here. */
export const CHART_PROFILES: readonly ChartProfile[] = [V1_12, V1_14, V1_15, V1_16, V1_18, V1_19, V1_20];

/**
 * The profile of a Cilium version such as `1.20.0`.
 *
 * @throws CiliateError Permanent `UnknownChartVersion` for a version outside of the known ranges.
 */
export function chartProfile(version: string): ChartProfile {
  const found = CHART_PROFILES.find(({ minors: [first, last] }) => minor(version) >= first && minor(version) <= last);
  if (found !== undefined) return found;
  throw new CiliateError(
    'Permanent',
    {
      object: `Cilium ${version}`,
      expected: `a version from 1.${CHART_PROFILES[0]?.minors[0]}.0 to 1.${CHART_PROFILES.at(-1)?.minors[1]}.x`,
      seen: version,
      todo: 'Set spec.cilium.version to a version that ciliate knows.',
    },
    { code: 'UnknownChartVersion' },
  );
}

/** Minor of a version of Cilium 1: 20 of `1.20.0`; NaN for anything else. */
export function minor(version: string): number {
  const match = /^v?1\.(\d+)(\.|$)/.exec(version);
  return match === null ? Number.NaN : Number(match[1]);
}
