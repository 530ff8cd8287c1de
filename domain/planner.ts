import { sha256Hex } from './digest.js';
import type { ChartProblem } from './findings.js';
import { installText } from './gates.js';
import { findHazards } from './hazards/index.js';
import { decideMasquerade, isDecided } from './masquerade.js';
import type { ObservedCluster } from './observation.js';
import type { MasqueradeDecision, Plan } from './plan.js';
import { confinedToAwsNodes } from './cilium/placement.js';
import type { Affinity } from './kubernetes/nodeAffinity.js';
import { limitSaid, limitsOf } from './chain/limits.js';
import { estimate, estimateChain } from './plan/estimate.js';
import { modeOf } from './plan/mode.js';
import { candidates, leftAloneOf, markLeftAlone, orderNodes, podsThatMove, standing } from './plan/nodes.js';
import { stepsOf } from './plan/steps.js';
import type { CiliumSpec, Manifest } from './spec/schema.js';

/** What the planner cannot work out from the cluster: the chart, and the values for its version (domain/cilium/values.ts). */
export interface PlanInput {
  manifest: Manifest;
  chart: Plan['chart'];
  values: Plan['values'];
  /** Chart not to be had, values that fight, render errors, failed assertions. */
  chartProblems?: ChartProblem[];
}

/** Pure: the same cluster and input give the same plan. Blocked exactly when a blocker was found. */
export function plan(seen: ObservedCluster, input: PlanInput): Plan {
  const { manifest, chart, values, chartProblems = [] } = input;
  const { strategy, refresh } = manifest.spec;
  // A chain replaces no node, so it has none to leave alone.
  const cluster = strategy === 'chain' ? seen : markLeftAlone(seen, refresh.leaveAlone);
  const mode = modeOf(cluster, manifest.spec.strategy);
  // Where nothing will be written nothing can be blocked.
  const findings = findHazards({ cluster, manifest, chartProblems }).filter(({ severity }) => mode !== 'done' || severity !== 'blocker');
  const planned = mode === 'done' || strategy === 'chain' ? [] : orderNodes(candidates(cluster));
  const leftAlone = leftAloneOf(cluster);
  const pods = mode === 'done' ? 0 : podsThatMove(cluster, strategy);
  return {
    migration: manifest.metadata.name,
    strategy,
    findings,
    blocked: findings.some((finding) => finding.severity === 'blocker'),
    mode,
    steps: stepsOf({ cluster, manifest, mode, nodes: planned, leftAlone }),
    nodes: planned,
    pods,
    limits: strategy === 'chain' ? limitsOf(cluster).map(limitSaid) : [],
    leftOut: leftOutOf(cluster),
    leftAlone,
    chart,
    masquerade: strategy === 'chain' ? CHAINED_MASQUERADE : masqueradeFor(cluster, manifest.spec.cilium),
    values,
    estimate: strategy === 'chain' ? estimateChain(cluster.nodes.length, pods) : estimate(planned, refresh, { soakSeconds: strategy === 'clean' ? 0 : manifest.spec.soakSeconds, leftAlone: leftAlone.length }),
    installDigest: sha256Hex(installText({ chartSha256: chart.sha256, values: values.migration, awsNodeAffinity: strategy === 'replace' ? affinityToSet(cluster) : null })),
  };
}

/** Whatever spec.cilium.masquerade says: a plan must show what its values do. */
const CHAINED_MASQUERADE: MasqueradeDecision = { enabled: false, why: "chained, source NAT stays the VPC CNI's" };

/** The decision, or where there is none (a blocker says so) the safer of the two, so that values can still be shown. */
export function masqueradeFor(cluster: ObservedCluster, cilium: CiliumSpec): MasqueradeDecision {
  const decision = decideMasquerade(cluster, cilium);
  return isDecided(decision) ? decision : { enabled: true, why: `not decided: ${decision.undecided}` };
}

/** What aws-node's affinity will be; the same again once it is set. Null where aws-node is gone. */
export function affinityToSet(cluster: ObservedCluster): Affinity | null {
  if (cluster.awsNode === null) return null;
  return confinedToAwsNodes(cluster.awsNode.affinity);
}

function leftOutOf(cluster: ObservedCluster): Plan['leftOut'] {
  return cluster.nodes
    .flatMap((node) => {
      const found = standing(node);
      return found.as === 'left-out' ? [{ name: node.name, why: found.why }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
