import type { Bound } from './shape.js';
import type { Run } from './run.js';

/** Seconds from the first change to the moment at which all was back; undefined when that never came. */
export function elapsed({ figures: { firstChange, back } }: Run): number | undefined {
  return firstChange === undefined || back === undefined ? undefined : (back - firstChange) / 1000;
}

/** Seconds from the first change until every node was another one; undefined when that never came. */
export function rolledWithin({ figures: { firstChange, rolled } }: Run): number | undefined {
  return firstChange === undefined || rolled === undefined ? undefined : (rolled - firstChange) / 1000;
}

/** A line of the table, by column. */
export type Row = Record<string, string | number>;

/** What one run is in the table. */
export function row(run: Run, bound: Bound): Row {
  const { figures, calls } = run;
  const { usable, replicas } = figures;
  const took = elapsed(run);
  const rolled = rolledWithin(run);
  return {
    contender: run.killed ? `${run.contender}, killed and run again` : run.contender,
    nodes: run.nodes,
    outcome: run.outcome,
    'elapsed s': took === undefined ? 'never back' : round(took),
    'nodes rolled s': rolled === undefined ? 'never' : round(rolled),
    'bound s (with StatefulSet)': `${bound.ordinary} (${bound.slow})`,
    // The bound is one of rolling nodes: what comes before and after that is in `elapsed`.
    'rolled / bound': rolled === undefined ? '' : `${round(rolled / bound.ordinary, 2)} (${round(rolled / bound.slow, 2)})`,
    'busy s': run.busy === undefined ? '' : round(run.busy),
    'rolled / busy': rolled === undefined || run.busy === undefined ? '' : round(rolled / run.busy, 2),
    'command s': round(run.command),
    'disruptions per replica': round(figures.disruptions / replicas, 2),
    'PDB violations': figures.violations.length,
    'unavailable replica-seconds': round(figures.unavailableReplicaSeconds),
    'usable nodes start / lowest / most': `${usable.start} / ${usable.lowest} / ${usable.most}`,
    'most instances': figures.mostInstances,
    'calls Kubernetes / AWS': `${calls.kubernetes} / ${calls.aws}`,
    'left over': run.leftovers.join('; ') || 'nothing',
  };
}

/** Usable nodes over time as `seconds:nodes …`, so that a plot can be drawn again from the JSON. */
export function usableText({ figures }: Run): string {
  return figures.usableOverTime.map(([second, nodes]) => `${round(second)}:${nodes}`).join(' ');
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** A row, or a line of the plot. */
interface Measured {
  contender?: string | number;
  nodes?: string | number;
}

/** By size; of what was measured before and now, what was measured now. */
export function withOlder<T extends Measured>(now: T[], before: T[]): T[] {
  const key = ({ contender, nodes }: T): string => `${contender}, ${nodes}`;
  const known = new Set(now.map(key));
  return [...before.filter((each) => !known.has(key(each))), ...now].sort((a, b) => Number(a.nodes) - Number(b.nodes));
}
