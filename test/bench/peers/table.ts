import type { Bound } from './shape.js';
import type { Run } from './run.js';

/** Seconds from the first change to the moment at which all was back; undefined when that never came. */
export function elapsed({ figures: { firstChange, back } }: Run): number | undefined {
  return firstChange === undefined || back === undefined ? undefined : (back - firstChange) / 1000;
}

/** What one run is in the table. */
export function row(run: Run, bound: Bound): Record<string, string | number> {
  const { figures, calls } = run;
  const { usable, replicas } = figures;
  const took = elapsed(run);
  const { firstChange, rolled } = figures;
  return {
    contender: run.killed ? `${run.contender}, killed and run again` : run.contender,
    nodes: run.nodes,
    outcome: run.outcome,
    'elapsed s': took === undefined ? 'never back' : round(took),
    'nodes rolled s': firstChange === undefined || rolled === undefined ? 'never' : round((rolled - firstChange) / 1000),
    'bound s (with StatefulSet)': `${bound.ordinary} (${bound.slow})`,
    'elapsed / bound': took === undefined ? '' : `${round(took / bound.ordinary, 2)} (${round(took / bound.slow, 2)})`,
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
