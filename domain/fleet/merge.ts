import { canonicalJson } from '../canonical.js';
import type { SpecPart } from './schema.js';

/** Merges mappings, key by key; anything else of `over` (a list, too) stands in place of what was under it. */
export function mergeSpecs(under: SpecPart, over: SpecPart): SpecPart {
  const keys = [...new Set([...Object.keys(under), ...Object.keys(over)])];
  return build(keys.map((key) => [key, mergedValue(own(under, key), own(over, key))]));
}

function mergedValue(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  return isMapping(under) && isMapping(over) ? mergeSpecs(under, over) : over;
}

/** What all of them say alike, however deep; {@link without} it each is smaller, and {@link mergeSpecs} makes it whole again. */
export function sharedBy(specs: readonly SpecPart[]): SpecPart {
  const [first, ...others] = specs;
  return first === undefined ? {} : others.reduce(common, first);
}

function common(one: SpecPart, other: SpecPart): SpecPart {
  return build(
    Object.keys(one).flatMap((key): [string, unknown][] => {
      const [mine, theirs] = [own(one, key), own(other, key)];
      if (theirs === undefined) return [];
      if (canonicalJson(mine) === canonicalJson(theirs)) return [[key, mine]];
      return isMapping(mine) && isMapping(theirs) ? [[key, common(mine, theirs)]] : [];
    }),
  );
}

/** A spec less what is shared. */
export function without(spec: SpecPart, shared: SpecPart): SpecPart {
  return build(
    Object.keys(spec).flatMap((key): [string, unknown][] => {
      const [mine, theirs] = [own(spec, key), own(shared, key)];
      if (theirs === undefined) return [[key, mine]];
      if (canonicalJson(mine) === canonicalJson(theirs)) return [];
      return [[key, isMapping(mine) && isMapping(theirs) ? without(mine, theirs) : mine]];
    }),
  );
}

function own(spec: SpecPart, key: string): unknown {
  return Object.hasOwn(spec, key) ? spec[key] : undefined;
}

function isMapping(value: unknown): value is SpecPart {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function build(entries: [string, unknown][]): SpecPart {
  return Object.fromEntries(entries) as SpecPart;
}
