import type { HelmValues } from '../spec/schema.js';

export type HelmValue = HelmValues[string];

/** Whether something is a map of Helm values, not a list and not null. */
export function isMap(value: unknown): value is HelmValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path; undefined where it is not there. A null that stands there is null (Helm: drop the default). */
export function at(values: HelmValues, path: string): HelmValue | undefined {
  let current: HelmValue | undefined = values;
  for (const key of path.split('.')) {
    if (!isMap(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** A map with one value at a dotted path. */
export function nested(path: string, value: HelmValue): HelmValues {
  return path.split('.').reduceRight<HelmValue>((inner, key) => ({ [key]: inner }), value) as HelmValues;
}

/** `over` laid over `base` as Helm does with values files: maps merge, everything else (lists too) is replaced. */
export function merge(base: HelmValues, over: HelmValues): HelmValues {
  const merged: HelmValues = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined;
    merged[key] = isMap(below) && isMap(value) ? merge(below, value) : value;
  }
  return merged;
}

/** Several layers merged, later ones over earlier ones. */
export function layers(...values: HelmValues[]): HelmValues {
  return values.reduce<HelmValues>((merged, layer) => merge(merged, layer), {});
}
