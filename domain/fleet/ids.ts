import { grouped } from '../grouped.js';

/** A cluster as far as its id is concerned. */
export interface IdHolder {
  name: string;
  /** The id that its manifest names, that it runs with, or that was chosen before; null: none yet. */
  id: number | null;
}

export interface ChosenIds {
  /** Ids for those that had none, by name. */
  chosen: Record<string, number>;
  /** Names for which the range had no free id left. */
  without: string[];
}

/** The lowest free ids of the range for clusters that have none, in their order. An id that anybody has is never given again. */
export function chooseIds(clusters: readonly IdHolder[], range: { from: number; to: number }): ChosenIds {
  const used = new Set(clusters.map(({ id }) => id));
  const free = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index).filter((id) => !used.has(id));
  const open = clusters.filter(({ id }) => id === null).map(({ name }) => name);
  return { chosen: Object.fromEntries(open.slice(0, free.length).map((name, index) => [name, free[index] ?? 0])), without: open.slice(free.length) };
}

/** Ids that more than one cluster has, with their names. */
export function sharedIds(clusters: readonly IdHolder[]): { id: number; names: string[] }[] {
  const holders = clusters.flatMap(({ name, id }) => (id === null ? [] : [{ name, id }]));
  return [...grouped(holders, ({ id }) => id)].filter(([, some]) => some.length > 1).map(([id, some]) => ({ id, names: some.map(({ name }) => name) }));
}
