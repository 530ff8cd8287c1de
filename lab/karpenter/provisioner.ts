import { mayRun } from '../glue/placement.js';
import type { PodPlacement } from '../glue/placement.js';
import { condition, ownedBy, uidOf } from '../glue/types.js';
import type { Pod, Taint } from '../glue/types.js';
import type { Karpenter } from './karpenter.js';
import { has, isGoing, poolLabels } from './objects.js';
import type { NodePool } from './objects.js';

/** How long pods are gathered before a node is made for them (1 s in reality). */
const idle = 200;
/** How long the scheduler has to place pods on a node that has just been initialized. */
const settle = 1000;
/** A pod that fits on no node of ours even so would have one made for ever. */
const triesAPod = 3;

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

/** Pods that no node has room for become NodeClaims: one at a time for each NodePool. */
export class Provisioner {
  private readonly tries = new Map<string, number>();

  constructor(private readonly karpenter: Karpenter) {}

  step(): void {
    const { glue, pools } = this.karpenter;
    const waiting = [...glue.world.pods.values()].filter((pod) => isUnschedulable(pod) && this.ripe(pod));
    for (const pool of pools.values()) {
      const mine = waiting.filter((pod) => fits(pod, pool) && (this.tries.get(uidOf(pod)) ?? 0) < triesAPod);
      if (mine.length === 0 || isGoing(pool) || this.busy(pool)) continue;
      for (const pod of mine) this.tries.set(uidOf(pod), (this.tries.get(uidOf(pod)) ?? 0) + 1);
      glue.work.run(`karpenter-claim/${pool.metadata.name}`, () => this.karpenter.claim(pool));
    }
  }

  private ripe(pod: Pod): boolean {
    const age = this.karpenter.glue.since.age(`karpenter-pod/${uidOf(pod)}`);
    if (age < idle) this.karpenter.glue.wake(idle - age + 1);
    return age >= idle;
  }

  /** A node is on its way, or may take these pods any moment. */
  private busy(pool: NodePool): boolean {
    const { glue } = this.karpenter;
    return this.karpenter.claimsOf(pool).some((claim) => {
      if (isGoing(claim)) return false;
      if (!has(claim, 'Initialized')) return true;
      const age = glue.since.age(`karpenter-settled/${uidOf(claim)}`);
      if (age < settle) glue.wake(settle - age + 1);
      return age < settle;
    });
  }
}

function isUnschedulable(pod: Pod): boolean {
  if (pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined || ownedBy(pod, 'DaemonSet')) return false;
  const scheduled = condition(pod, 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
}

function fits(pod: Pod, pool: NodePool): boolean {
  const spec = pod.spec as PodPlacement & { tolerations?: Toleration[] };
  if (!mayRun(spec, { metadata: { name: '', labels: poolLabels(pool) }, spec: {} })) return false;
  return (pool.spec.template.spec.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || (spec.tolerations ?? []).some((each) => tolerates(each, taint)));
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
  if (toleration.key === undefined) return toleration.operator === 'Exists';
  return toleration.key === taint.key && (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? ''));
}
