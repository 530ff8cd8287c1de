import type { NodeResult } from '../refresh.js';
import { between, columns, instant, jsonPage, page } from './text.js';
import type { StatusFormat } from './status.js';

export interface NodesPage {
  page: number;
  pages: number;
  nodes: NodeResult[];
}

/** One page of nodes that are done. `json` is {@link NodesPage} as it is. */
export function renderNodes(nodes: NodesPage, format: StatusFormat): string {
  if (format === 'json') return jsonPage(nodes);
  const rows = nodes.nodes.map(({ node, outcome, replacement, startedAt, endedAt, why }) => [node.name, node.instanceId, node.zone, outcome, replacement?.name ?? '', instant(endedAt), between(startedAt, endedAt), why ?? '']);
  return page([`page ${nodes.page} of ${nodes.pages}`, ...columns(['NODE', 'INSTANCE', 'ZONE', 'OUTCOME', 'REPLACED BY', 'ENDED', 'TOOK', 'WHY'], rows)]);
}
