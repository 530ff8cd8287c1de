import type { Plan } from '../plan.js';
import { paceText, roundsOf } from '../pool/rounds.js';
import type { Manifest } from '../spec/schema.js';
import { leftAloneText } from './nodes.js';

type Refresh = Manifest['spec']['refresh'];

/** Seconds, from experience with EKS and not from this cluster: nothing has run yet. */
const SECONDS = { drain: 90, terminate: 60, boot: 90, agent: 30, install: 120, enforcePerNode: 15, remove: 60, restartPerPod: 20 };

/** A guess before anything ran, and said to be one; the report has what it took. Nodes that are left alone end the run after the refresh. */
export function estimate(nodes: Plan['nodes'], refresh: Refresh, { soakSeconds, leftAlone }: { soakSeconds: number; leftAlone: number }): Plan['estimate'] {
  const perNodeSeconds = SECONDS.drain + SECONDS.terminate + SECONDS.boot + SECONDS.agent;
  const pace = roundsOf(nodes, refresh);
  const afterwards = leftAlone > 0 ? 0 : nodes.length * SECONDS.enforcePerNode + soakSeconds + SECONDS.remove;
  const totalSeconds = SECONDS.install + pace.rounds * perNodeSeconds + afterwards;
  const end = leftAlone > 0 ? `${leftAloneText(leftAlone)}: the run ends after the refresh` : `roll ${SECONDS.enforcePerNode} s a node, soak ${soakSeconds} s`;
  return {
    perNodeSeconds,
    totalSeconds,
    basis:
      `a guess before anything ran, ${paceText(pace)}: drain ${SECONDS.drain} s, termination ${SECONDS.terminate} s, boot ${SECONDS.boot} s, ` +
      `agent ${SECONDS.agent} s; install ${SECONDS.install} s, ${end}; approvals and stuck drains come on top`,
  };
}

/** The same where nothing is replaced: agents roll a node at a time, pods restart one after the other. */
export function estimateChain(nodes: number, pods: number): Plan['estimate'] {
  const totalSeconds = SECONDS.install + 2 * nodes * SECONDS.enforcePerNode + pods * SECONDS.restartPerPod;
  return {
    perNodeSeconds: 2 * SECONDS.enforcePerNode,
    totalSeconds,
    basis:
      `a guess before anything ran: install ${SECONDS.install} s, two rolls of the agents at ${SECONDS.enforcePerNode} s a node, ` +
      `${SECONDS.restartPerPod} s a pod, one after the other (rollouts take several at a time); approvals and budgets that say no come on top`,
  };
}
