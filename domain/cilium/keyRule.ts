import type { HelmValue } from './valueTree.js';

/** A key that may not stand in the user's values, or only with some. */
export interface KeyRule {
  path: string;
  why: string;
  /** What may stand there all the same; absent: nothing. */
  allows?: (value: HelmValue) => boolean;
}

export const only =
  (...allowed: HelmValue[]) =>
  (value: HelmValue): boolean =>
    allowed.includes(value);
export const off = only(false, null);
export const on = only(true);
