/** `3` or `25%`, as in a rolling update's limits. */
export type IntOrPercent = number | string;

/** How a workload replaces its pods: `spec.strategy` of a Deployment, `spec.updateStrategy` of the others. */
export interface UpdateStrategy {
  /** RollingUpdate, Recreate, OnDelete; undefined where there is none (ReplicaSet). */
  type: string | undefined;
  maxUnavailable?: IntOrPercent;
  maxSurge?: IntOrPercent;
  /** StatefulSet: pods below this ordinal stay as they are. */
  partition?: number;
}

/** How many pods it may take away at the same time while it rolls, resolved as its controller does. */
export function takesAtOnce(kind: string, strategy: UpdateStrategy, wanted: number): number {
  if (strategy.type === 'Recreate') return wanted;
  return Math.min(rollingTakes(kind, strategy, wanted), wanted);
}

function rollingTakes(kind: string, { maxUnavailable, maxSurge }: UpdateStrategy, wanted: number): number {
  switch (kind) {
    case 'Deployment': {
      const away = scaled(maxUnavailable ?? '25%', wanted, Math.floor);
      // Neither more nor fewer: it would stand still, so its controller takes one.
      return away === 0 && scaled(maxSurge ?? '25%', wanted, Math.ceil) === 0 ? 1 : away;
    }
    case 'DaemonSet':
      // Its percentages are rounded up, unlike those of a Deployment.
      if (scaled(maxSurge ?? 0, wanted, Math.ceil) > 0) return 0;
      return Math.max(1, scaled(maxUnavailable ?? 1, wanted, Math.ceil));
    default:
      // A StatefulSet has the field only where the feature is on.
      return Math.max(1, scaled(maxUnavailable ?? 1, wanted, Math.floor));
  }
}

function scaled(value: IntOrPercent, wanted: number, round: (exact: number) => number): number {
  if (typeof value === 'number') return value;
  const number = Number.parseInt(value, 10);
  // Multiplied first: 29 % of 100 is 29, and not 28.999….
  return value.endsWith('%') ? round((number * wanted) / 100) : number;
}
