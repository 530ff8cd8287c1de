import type { Plan } from '../plan.js';

/** Seconds, from experience with EKS and not from this cluster. */
const SECONDS = { drain: 90, terminate: 60, boot: 90, agent: 15, before: 300, uninstall: 120 };

/** A guess before anything ran, and said to be one. */
export function rollbackEstimate(nodes: number): Plan['estimate'] {
  const perNodeSeconds = SECONDS.drain + SECONDS.terminate + SECONDS.boot + SECONDS.agent;
  const before = nodes === 0 ? 0 : SECONDS.before;
  return {
    perNodeSeconds,
    totalSeconds: before + nodes * perNodeSeconds + SECONDS.uninstall,
    basis:
      `a guess before anything ran, one node after the other: drain ${SECONDS.drain} s, termination ${SECONDS.terminate} s, boot ${SECONDS.boot} s, aws-node ${SECONDS.agent} s; ` +
      `${before} s for Cilium's agents and aws-node to roll, ${SECONDS.uninstall} s for the uninstall; approvals and stuck drains come on top`,
  };
}
