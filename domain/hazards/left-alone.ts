import type { Hazard } from '../findings.js';
import { leftAloneOf } from '../plan/nodes.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

export const leftAlone: Hazard = {
  id: 'left-alone',
  title: 'Nodes that refresh.leaveAlone selects',
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const nodes = leftAloneOf(cluster);
    if (nodes.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: nodes.map(({ name }) => `Node ${name}`),
        message: 'They are not refreshed. The run ends partial after the others, and what comes later (policy enforcement, the end of the old CNI) waits for them.',
        todo: 'Nothing now. To finish: take refresh.leaveAlone out of the spec, or replace these nodes yourself, then the same start again.',
      }),
    ];
  },
};

/** A misspelt label is a selector like any other. */
export const leaveAloneNothing: Hazard = {
  id: 'leave-alone-nothing',
  title: 'refresh.leaveAlone selects no node',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const { leaveAlone } = manifest.spec.refresh;
    if (leaveAlone === undefined || cluster.nodes.some((node) => node.leftAlone === true)) return [];
    return [
      finding(this.id, 'warning', {
        objects: [`refresh.leaveAlone: ${leaveAlone}`],
        message: 'No node has such labels, so no node is left alone: those that were meant are replaced like all others.',
        todo: `Compare it with the labels: kubectl get nodes -l '${leaveAlone}'; or take it out of the spec.`,
      }),
    ];
  },
};
