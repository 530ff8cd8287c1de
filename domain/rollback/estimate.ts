import type { Plan } from '../plan.js';
import { paceText, roundsOf } from '../pool/rounds.js';
import type { Manifest } from '../spec/schema.js';

/** Seconds, from experience with EKS and not from this cluster. */
const SECONDS = { drain: 90, terminate: 60, boot: 90, agent: 15, before: 300, uninstall: 120 };

/** A guess before anything ran, and said to be one. */
export function rollbackEstimate(nodes: Plan['nodes'], refresh: Manifest['spec']['refresh']): Plan['estimate'] {
  const perNodeSeconds = SECONDS.drain + SECONDS.terminate + SECONDS.boot + SECONDS.agent;
  const before = nodes.length === 0 ? 0 : SECONDS.before;
  const pace = roundsOf(nodes, refresh);
  return {
    perNodeSeconds,
    totalSeconds: before + pace.rounds * perNodeSeconds + SECONDS.uninstall,
    basis:
      `a guess before anything ran, ${paceText(pace)}: drain ${SECONDS.drain} s, termination ${SECONDS.terminate} s, boot ${SECONDS.boot} s, aws-node ${SECONDS.agent} s; ` +
      `${before} s for Cilium's agents and aws-node to roll, ${SECONDS.uninstall} s for the uninstall; approvals and stuck drains come on top`,
  };
}
