import { canonicalJson } from './canonical.js';
import type { Affinity } from './kubernetes/nodeAffinity.js';
import type { NodeResult } from './refresh.js';
import type { HelmValues } from './spec/schema.js';

/**
 * What each gate decides on, as canonical text: the same decision gives the same text, whatever order keys came in. An approval
 * is bound to the digest of that text (domain/digest.ts), so it cannot approve what nobody has seen; nodes that come and go on
 * Cilium are no part of it, so a living cluster does not make an approval stale.
 */
export interface InstallDecision {
  chartSha256: string;
  /** Values of phase `migration`. */
  values: HelmValues;
  /** The affinity that aws-node will have; null where aws-node is gone already. */
  awsNodeAffinity: Affinity | null;
}

/** before-install: chart, values, affinity. */
export function installText(decision: InstallDecision): string {
  const { chartSha256, values, awsNodeAffinity } = decision;
  return gateText('before-install', { chartSha256, values, awsNodeAffinity });
}

/** accept-limits: what chaining cannot do here. */
export function limitsText(limits: readonly string[]): string {
  return gateText('accept-limits', { limits: [...limits] });
}

/** after-canary: the verdicts on the first node of each group, and not how long they took. */
export function canaryText(canaries: readonly NodeResult[]): string {
  return gateText('after-canary', {
    canaries: canaries.map(({ node, outcome, why, replacement }) => ({ instanceId: node.instanceId, outcome, why: why ?? null, replacement: replacement?.instanceId ?? null })),
  });
}

/** before-enforcement: the values with enforcement on. */
export function enforcementText(values: HelmValues): string {
  return gateText('before-enforcement', { values });
}

export interface RemovalDecision {
  /** Nodes labelled `cni-plugin=aws`. */
  labelled: number;
  /** Pods that the DaemonSet aws-node wants. */
  awsNodeDesired: number;
  /** Pods on Cilium nodes without a CiliumEndpoint. */
  unmanaged: number;
}

/** before-removal: no aws node, no unmanaged pod. */
export function removalText({ labelled, awsNodeDesired, unmanaged }: RemovalDecision): string {
  return gateText('before-removal', { labelled, awsNodeDesired, unmanaged });
}

/** force: this node, and exactly these pods on it (UIDs). */
export function forceText(nodeUid: string, podUids: string[]): string {
  return gateText('force', { node: nodeUid, pods: [...podUids].sort() });
}

/** Stable JSON with the gate's name in it, so that the digest of one gate never fits another. */
function gateText(gate: string, decides: Record<string, unknown>): string {
  return canonicalJson({ gate, decides });
}
