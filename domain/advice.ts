import type { Severity } from './findings.js';
import type { Plan } from './plan.js';
import type { Manifest } from './spec/schema.js';
import { CHAIN_REFUSES, STRATEGIES } from './spec/words.js';
import type { Strategy } from './spec/words.js';

/** The three ways for one cluster, side by side. Public as JSON: keys are only ever added. */
export interface Advice {
  version: 1;
  migration: string;
  /** The strategy of the spec. */
  chosen: Strategy;
  /** What we would do; null where nothing is left to do or every way is blocked. */
  recommended: Strategy | null;
  /** Why, one sentence. */
  why: string;
  /** One a strategy, in the order of {@link STRATEGIES}. */
  rows: AdviceRow[];
}

export interface AdviceRow {
  strategy: Strategy;
  blocked: boolean;
  mode: Plan['mode'];
  /** Nodes that are replaced, pods that move or restart (at least), and how long it may take: an estimate. */
  cost: { nodes: number; pods: number; minutes: number };
  /** What this way cannot do here: limits of chaining, or why the cluster is not clean. */
  cannot: { id: string; text: string }[];
  blockers: FoundHazard[];
  warnings: FoundHazard[];
}

/** A hazard by its id in docs/hazards.md, and how many findings it has. */
export interface FoundHazard {
  id: string;
  count: number;
}

/** The manifest as it would be with another strategy: without what belongs to another one and would be refused there. */
export function manifestFor(manifest: Manifest, strategy: Strategy): Manifest {
  const { spec } = manifest;
  const chained = strategy === 'chain';
  return {
    ...manifest,
    spec: {
      ...spec,
      strategy,
      chain: chained && spec.strategy === 'chain' ? spec.chain : {},
      clean: strategy === 'clean' ? spec.clean : { addOns: [] },
      ...(chained ? { approvals: spec.approvals?.filter((gate) => !CHAIN_REFUSES.includes(gate)) } : {}),
      drain: chained && spec.drain.onTimeout === 'force' ? { ...spec.drain, onTimeout: 'skip-to-end' } : spec.drain,
    },
  };
}

/** Pure: from a plan of each strategy for one look at the cluster. */
export function advise(plans: Record<Strategy, Plan>, chosen: Strategy): Advice {
  return {
    version: 1,
    migration: plans[chosen].migration,
    chosen,
    ...recommend(plans, chosen),
    rows: STRATEGIES.map((strategy) => row(plans, strategy)),
  };
}

function row(plans: Record<Strategy, Plan>, strategy: Strategy): AdviceRow {
  const plan = plans[strategy];
  const { blocked, mode, nodes, pods, estimate } = plan;
  // Where nothing is left to do nothing is waited for either.
  const minutes = mode === 'done' ? 0 : Math.ceil(estimate.totalSeconds / 60);
  return { strategy, blocked, mode, cost: { nodes: nodes.length, pods, minutes }, cannot: cannotOf(plans, strategy), blockers: counted(plan, 'blocker'), warnings: counted(plan, 'warning') };
}

function cannotOf(plans: Record<Strategy, Plan>, strategy: Strategy): AdviceRow['cannot'] {
  switch (strategy) {
    case 'replace':
      return [];
    case 'chain':
      return plans.chain.limits;
    case 'clean': {
      // Both replace nodes: what blocks only this one is why the cluster is not clean.
      const shared = new Set(counted(plans.replace, 'blocker').map(({ id }) => id));
      return plans.clean.findings.filter(({ id, severity }) => severity === 'blocker' && !shared.has(id)).map(({ id, message }) => ({ id, text: message }));
    }
  }
}

function counted({ findings }: Plan, severity: Severity): FoundHazard[] {
  const ids = findings.filter((finding) => finding.severity === severity).map(({ id }) => id);
  return [...new Set(ids)].map((id) => ({ id, count: ids.filter((each) => each === id).length }));
}

/**
 * The rule. What has begun is finished. Otherwise `clean` where the cluster is clean (it is blocked by any user workload), since it is
 * quickest; else `replace`, which leaves nothing behind; else `chain`, which leaves the VPC CNI and its limits.
 */
function recommend(plans: Record<Strategy, Plan>, chosen: Strategy): Pick<Advice, 'recommended' | 'why'> {
  if (plans.replace.mode === 'done') return { recommended: null, why: 'nothing, Cilium is on every node and aws-node is gone' };
  if (plans[chosen].mode === 'resume' && !plans[chosen].blocked) return { recommended: chosen, why: `${chosen}: it has begun, so it is finished` };
  if (!plans.clean.blocked) return { recommended: 'clean', why: 'clean: there are no user workloads, and it is the quickest' };
  if (!plans.replace.blocked) return { recommended: 'replace', why: 'replace: nothing blocks it, and it leaves nothing of the VPC CNI' };
  const inTheWay = counted(plans.replace, 'blocker').map(({ id }) => id).join(', ');
  if (!plans.chain.blocked) return { recommended: 'chain', why: `chain: replace is blocked (${inTheWay})` };
  return { recommended: null, why: `none of the three yet; what stands in the way of replace: ${inTheWay}` };
}
