import type { NodeOutcome, NodeResult } from './refresh.js';

/**
 * How nodes ended, kept so that it does not grow with the cluster: the newest results whole, of older ones only how many there
 * are. The older ones are filed in the cluster, a page at a time (docs/adr/0011). Plain JSON, carried through continue-as-new.
 */
export interface Results {
  /** Those that are not filed yet, the newest last; a node stands here once. */
  newest: NodeResult[];
  /** Nodes by how they ended last, over the whole run. */
  tally: Partial<Record<NodeOutcome, number>>;
  /** Of which there is something left to do or to say, by instance id. */
  unfinished: Record<string, Unfinished>;
  /** Pages that were filed. */
  pages: number;
}

export interface Unfinished {
  name: string;
  outcome: NodeOutcome;
  /** How often it was postponed. */
  postponed: number;
}

/** Results a page, and so many stay with the run at least. */
export const PAGE_SIZE = 100;

export function noResults(): Results {
  return { newest: [], tally: {}, unfinished: {}, pages: 0 };
}

/** With one more; a node that was handed back and tried again counts as it ended last. */
export function withResult(results: Results, result: NodeResult): Results {
  const { instanceId, name } = result.node;
  const before = results.unfinished[instanceId];
  const tally = { ...results.tally, [result.outcome]: (results.tally[result.outcome] ?? 0) + 1 };
  if (before !== undefined) tally[before.outcome] = (tally[before.outcome] ?? 1) - 1;
  const postponed = (before?.postponed ?? 0) + (result.outcome === 'postponed' ? 1 : 0);
  const { [instanceId]: _before, ...others } = results.unfinished;
  return {
    ...results,
    tally,
    newest: [...results.newest.filter(({ node }) => node.instanceId !== instanceId), result],
    unfinished: isFinished(result.outcome) ? others : { ...others, [instanceId]: { name, outcome: result.outcome, postponed } },
  };
}

function isFinished(outcome: NodeOutcome): boolean {
  return outcome === 'refreshed' || outcome === 'gone';
}

/** The oldest results, as the next page to file; undefined while there is no whole page beyond those that stay. */
export function pageToFile(results: Results): { page: number; nodes: NodeResult[] } | undefined {
  if (results.newest.length < 2 * PAGE_SIZE) return undefined;
  return { page: results.pages + 1, nodes: results.newest.slice(0, PAGE_SIZE) };
}

/** After a page was filed. A node of it that was tried again meanwhile stands in `newest` again, as another result. */
export function withoutPage(results: Results, { page, nodes }: { page: number; nodes: readonly NodeResult[] }): Results {
  const filed = new Set(nodes.map(keyOf));
  return { ...results, pages: Math.max(results.pages, page), newest: results.newest.filter((result) => !filed.has(keyOf(result))) };
}

/** Filed pages and what stayed with the run, in the order in which the nodes ended: each node as it ended last. */
export function joined(pages: readonly (readonly NodeResult[])[], newest: readonly NodeResult[]): NodeResult[] {
  const last = new Map<string, NodeResult>();
  for (const result of [...pages.flat(), ...newest]) {
    last.delete(result.node.instanceId);
    last.set(result.node.instanceId, result);
  }
  return [...last.values()];
}

/** Names of unfinished nodes that ended so, and how many there are. */
export function namesOf(results: Results, outcome: NodeOutcome, most: number): string[] {
  return Object.values(results.unfinished).filter((node) => node.outcome === outcome).slice(0, most).map(({ name }) => name);
}

/** Instance ids of nodes that were postponed so often. */
export function postponedIds(results: Results, times: number): string[] {
  return Object.entries(results.unfinished).flatMap(([id, { postponed }]) => (postponed >= times ? [id] : []));
}

/** Nodes that are through, whether proven or not. */
export function doneCount({ tally }: Results): number {
  return (tally.refreshed ?? 0) + (tally.gone ?? 0) + (tally.unproven ?? 0);
}

function keyOf({ node, endedAt }: NodeResult): string {
  return `${node.instanceId} ${endedAt}`;
}
