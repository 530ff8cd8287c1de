import { canonicalJson } from '../canonical.js';
import { isMap } from '../cilium/valueTree.js';
import type { HelmValue } from '../cilium/valueTree.js';
import type { HelmValues } from '../spec/schema.js';

/** One Helm value that the mesh set, and what stood there before (absent: nothing). Keys of annotations hold dots, hence a list. */
export interface MeshLeaf {
  path: string[];
  ours: HelmValue;
  prior?: HelmValue;
}

/** What the mesh changed in a cluster: in the CNI ledger before the change is made, taken out after it is undone. */
export interface MeshEntry {
  mesh: string;
  leaves: MeshLeaf[];
  /** The CA of before is kept in a Secret of ours. */
  caReplaced: boolean;
}

/** Every value below a tree of maps, with its path. */
export function leavesOf(values: HelmValues, at: string[] = []): MeshLeaf[] {
  return Object.entries(values).flatMap(([key, value]) => (isMap(value) ? leavesOf(value, [...at, key]) : [{ path: [...at, key], ours: value }]));
}

/**
 * The entry for these values: what stood there before is kept from the older entry, so that a second stage never takes the first
 * one's values for the user's.
 */
export function recordedLeaves(wanted: HelmValues, current: HelmValues, older: readonly MeshLeaf[]): MeshLeaf[] {
  const leaves = leavesOf(wanted).map(({ path, ours }) => {
    const known = older.find((leaf) => samePath(leaf.path, path));
    const prior = known === undefined ? valueAt(current, path) : known.prior;
    return { path, ours, ...(prior === undefined ? {} : { prior }) };
  });
  // What an earlier stage set and this one does not is ours still, until it is taken off.
  return [...leaves, ...older.filter((leaf) => !leaves.some(({ path }) => samePath(path, leaf.path)))];
}

/** Values with the mesh's laid over them. */
export function withLeaves(values: HelmValues, leaves: readonly MeshLeaf[]): HelmValues {
  return leaves.reduce((tree, { path, ours }) => set(tree, path, ours), values);
}

/** Values as they were before the mesh; what somebody changed since stays, and is named. */
export function withoutLeaves(values: HelmValues, leaves: readonly MeshLeaf[]): { values: HelmValues; left: string[] } {
  const left: string[] = [];
  const back = leaves.reduce((tree, { path, ours, prior }) => {
    const now = valueAt(tree, path);
    if (now === undefined) return tree;
    if (canonicalJson(now) !== canonicalJson(ours)) {
      left.push(path.join('.'));
      return tree;
    }
    return set(tree, path, prior);
  }, values);
  return { values: back, left };
}

function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}

export function valueAt(values: HelmValues, path: readonly string[]): HelmValue | undefined {
  return path.reduce<HelmValue | undefined>((at, key) => (isMap(at) && Object.hasOwn(at, key) ? at[key] : undefined), values);
}

/** A copy with one value set; `undefined` takes it out, with the maps that are empty then. */
function set(values: HelmValues, [key, ...rest]: readonly string[], value: HelmValue | undefined): HelmValues {
  if (key === undefined) return values;
  const { [key]: now, ...others } = values;
  if (rest.length === 0) return value === undefined ? others : { ...values, [key]: value };
  const below = set(isMap(now) ? now : {}, rest, value);
  return value === undefined && Object.keys(below).length === 0 ? others : { ...values, [key]: below };
}
