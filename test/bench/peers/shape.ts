import type { LabOptions } from '../../../lab/index.js';

/** Milliseconds, as the issue that asks for this benchmark gives them. */
export const BOOT = 10_000;
const AGENT = 3_000;
const END = 3_000;
const SLOW_END = 12_000;
/** Replicas of the lab's StatefulSet, whose budget lets one go at a time. */
const SLOW_PODS = 3;
/** Labels, affinity, Helm: what comes before the first node, ms. */
const BEFORE = 6_000;
/** A drain of several nodes at once waits for replacements within budgets, ms. */
const SHARED_DRAIN = END + 1_000;

/** The lab that every contender gets, a fresh one each. Self-managed groups: the article and eks-rolling-update know no others. */
export function labShape(nodes: number): LabOptions {
  return {
    nodes,
    managed: false,
    awsNode: 'selfmanaged',
    workload: 'busy',
    clusterAutoscaler: false,
    zones: 3,
    bootDelay: BOOT,
    agentDelay: AGENT,
    podStartDelay: 500,
    terminationDelay: END,
    slowTerminationDelay: SLOW_END,
    instanceTerminationDelay: END,
  };
}

/** What hardware and pods take at the least, in seconds. */
export interface Bound {
  /** If every drain is an ordinary one. */
  ordinary: number;
  /** If the StatefulSet is met as late as can be: the fair one to be measured against. */
  slow: number;
}

/** One node after the other. */
export function serialBound(nodes: number): Bound {
  const ordinary = nodes * (BOOT + AGENT + END) + BEFORE;
  return seconds({ ordinary, slow: ordinary + SLOW_PODS * (SLOW_END - END) });
}

/** `surge` nodes more than needed, and never fewer: rounds of so many. */
export function surgeBound(nodes: number, surge: number): Bound {
  const rounds = Math.ceil(nodes / surge);
  const round = (drain: number): number => rounds * (BOOT + AGENT + drain) + BEFORE;
  return seconds({ ordinary: round(SHARED_DRAIN), slow: round(SLOW_END) });
}

function seconds({ ordinary, slow }: Bound): Bound {
  return { ordinary: ordinary / 1000, slow: slow / 1000 };
}
