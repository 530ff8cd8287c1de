import type { HelmValues } from '../spec/schema.js';

/** The value at a dotted path of Helm values; undefined where it is not there. */
export function valueAt(values: HelmValues, path: string): unknown {
  let current: unknown = values;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/** Whether a path holds something other than nothing, an empty list or an empty map. */
export function isSet(values: HelmValues, path: string): boolean {
  const value = valueAt(values, path);
  if (value === undefined || value === null || value === '' || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** Minor of a Cilium version: 20 of `1.20.0`. */
export function minorOf(version: string): number {
  return Number(version.split('.')[1] ?? 0);
}
